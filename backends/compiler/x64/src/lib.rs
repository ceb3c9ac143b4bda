//! Vector IR to AVX2 and AVX-512 machine code.
