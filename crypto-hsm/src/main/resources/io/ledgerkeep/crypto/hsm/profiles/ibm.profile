# SM4 with the numbers that IBM's tokens have. No GCM; the MAC gives half a block, too little for us.
algorithm = sm4
key_type = 0x80050001
ecb = 0x80050004
cbc = 0x80050002
