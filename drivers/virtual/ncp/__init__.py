"""An EZSP network co-processor in front of the stack: ASH and EZSP, NCP side."""
