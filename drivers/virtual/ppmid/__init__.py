"""The firmware of a virtual bilingual PPMID."""
