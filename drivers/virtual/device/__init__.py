"""What every virtual device on a HAN is made of, whatever it is."""
