"""The deployment: the package, the CloudFormation template, and what is done with them on AWS."""
