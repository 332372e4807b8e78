/* Runs before the first paint, so that nobody sees the page change its colours. */
{
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
}
