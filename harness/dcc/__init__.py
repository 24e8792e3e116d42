"""The emulated DCC: service user, DSP, ACB, S1SP, CPL and SMI.

Typed requests go in and typed responses come out (`documents`); how they are written on a wire is another
layer's. `embedded.EmbeddedDcc` puts the parts together.
"""
