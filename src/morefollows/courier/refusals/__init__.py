"""What refusals mean for readers: they count as bounces, unless so many speak of us (the brake)."""
