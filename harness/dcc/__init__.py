"""The emulated DCC: DSP, S1SP, CPL and SMI."""
