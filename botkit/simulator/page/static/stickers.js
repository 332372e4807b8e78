/** The page's stickers: LINE's pictures are not ours to show, so each is an emoji with LINE's kind of keywords. */

export const STICKERS = [
  { face: "😊", label: "Happy", keywords: ["happy", "smile", "joy"] },
  { face: "😂", label: "Laughing", keywords: ["laugh", "lol", "funny"] },
  { face: "🙏", label: "Thanks", keywords: ["thanks", "thank you", "please"] },
  { face: "👍", label: "OK", keywords: ["ok", "good", "agree"] },
  { face: "❤️", label: "Love", keywords: ["love", "heart", "like"] },
  { face: "🎉", label: "Congratulations", keywords: ["congratulations", "celebrate", "party"] },
  { face: "😢", label: "Sad", keywords: ["sad", "cry", "tears"] },
  { face: "😠", label: "Angry", keywords: ["angry", "mad", "upset"] },
  { face: "😲", label: "Surprised", keywords: ["surprised", "wow", "shock"] },
  { face: "😴", label: "Sleepy", keywords: ["sleepy", "good night", "tired"] },
  { face: "🙇", label: "Sorry", keywords: ["sorry", "apologize", "bow"] },
  { face: "👋", label: "Hello", keywords: ["hello", "hi", "bye"] },
];
