"""The attributes of a Modality Performed Procedure Step (PS3.3 C.4.13 to C.4.17, PS3.4 F.7)."""
