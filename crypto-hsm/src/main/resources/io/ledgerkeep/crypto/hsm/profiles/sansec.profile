# SM4 of Sansec, and of the many that took over its numbers. No GCM.
algorithm = sm4
key_type = 0x80000106
ecb = 0x80000108
cbc = 0x80000109
