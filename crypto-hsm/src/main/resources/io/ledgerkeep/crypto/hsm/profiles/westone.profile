# SM4 of Westone. No GCM.
algorithm = sm4
key_type = 0x80000005
ecb = 0x80000029
cbc = 0x8000002A
largest_text = 2048
