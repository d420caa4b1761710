# SM4 of Sansec with the numbers of its "ITRUS" extension. No GCM.
algorithm = sm4
key_type = 0x80000006
ecb = 0x8000A100
cbc = 0x8000A200
