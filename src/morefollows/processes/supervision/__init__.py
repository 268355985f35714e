"""`up`: starts all processes of one machine, keeps them running, and ends them."""
