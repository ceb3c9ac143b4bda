//! The families of vector instructions that selection uses, and their forms.
//!
//! Names only: a form is what iced-x86 calls it. What a family lacks is `INVALID`.

use iced_x86::Code;

macro_rules! families {
    ($($name:ident $xmm:ident $ymm:ident $xmm_evex:ident $ymm_evex:ident $zmm_evex:ident)*) => {
        /// A vector instruction in any width.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum V {
            $($name),*
        }

        impl V {
            /// VEX of 128 and 256 bits, EVEX of 128, 256 and 512 bits.
            pub(crate) fn codes(self) -> &'static [Code; 5] {
                &CODES[self as usize]
            }
        }

        static CODES: &[[Code; 5]] =
            &[$([Code::$xmm, Code::$ymm, Code::$xmm_evex, Code::$ymm_evex, Code::$zmm_evex]),*];
    };
}

families! {
    AddPd
        VEX_Vaddpd_xmm_xmm_xmmm128 VEX_Vaddpd_ymm_ymm_ymmm256
        EVEX_Vaddpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vaddpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er
    AddPs
        VEX_Vaddps_xmm_xmm_xmmm128 VEX_Vaddps_ymm_ymm_ymmm256
        EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32 EVEX_Vaddps_ymm_k1z_ymm_ymmm256b32 EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er
    AddSd
        VEX_Vaddsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vaddsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    AddSs
        VEX_Vaddss_xmm_xmm_xmmm32 INVALID
        EVEX_Vaddss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    AndPd
        VEX_Vandpd_xmm_xmm_xmmm128 VEX_Vandpd_ymm_ymm_ymmm256
        EVEX_Vandpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vandpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vandpd_zmm_k1z_zmm_zmmm512b64
    AndPs
        VEX_Vandps_xmm_xmm_xmmm128 VEX_Vandps_ymm_ymm_ymmm256
        EVEX_Vandps_xmm_k1z_xmm_xmmm128b32 EVEX_Vandps_ymm_k1z_ymm_ymmm256b32 EVEX_Vandps_zmm_k1z_zmm_zmmm512b32
    AndnPs
        VEX_Vandnps_xmm_xmm_xmmm128 VEX_Vandnps_ymm_ymm_ymmm256
        EVEX_Vandnps_xmm_k1z_xmm_xmmm128b32 EVEX_Vandnps_ymm_k1z_ymm_ymmm256b32 EVEX_Vandnps_zmm_k1z_zmm_zmmm512b32
    BlendmPd
        INVALID INVALID
        EVEX_Vblendmpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vblendmpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vblendmpd_zmm_k1z_zmm_zmmm512b64
    BlendmPs
        INVALID INVALID
        EVEX_Vblendmps_xmm_k1z_xmm_xmmm128b32 EVEX_Vblendmps_ymm_k1z_ymm_ymmm256b32 EVEX_Vblendmps_zmm_k1z_zmm_zmmm512b32
    BlendvPd
        VEX_Vblendvpd_xmm_xmm_xmmm128_xmm VEX_Vblendvpd_ymm_ymm_ymmm256_ymm
        INVALID INVALID INVALID
    BlendvPs
        VEX_Vblendvps_xmm_xmm_xmmm128_xmm VEX_Vblendvps_ymm_ymm_ymmm256_ymm
        INVALID INVALID INVALID
    BroadcastSd
        VEX_Vmovddup_xmm_xmmm64 VEX_Vbroadcastsd_ymm_m64
        EVEX_Vmovddup_xmm_k1z_xmmm64 EVEX_Vbroadcastsd_ymm_k1z_xmmm64 EVEX_Vbroadcastsd_zmm_k1z_xmmm64
    BroadcastSdX
        VEX_Vmovddup_xmm_xmmm64 VEX_Vbroadcastsd_ymm_xmm
        EVEX_Vmovddup_xmm_k1z_xmmm64 EVEX_Vbroadcastsd_ymm_k1z_xmmm64 EVEX_Vbroadcastsd_zmm_k1z_xmmm64
    BroadcastSs
        VEX_Vbroadcastss_xmm_m32 VEX_Vbroadcastss_ymm_m32
        EVEX_Vbroadcastss_xmm_k1z_xmmm32 EVEX_Vbroadcastss_ymm_k1z_xmmm32 EVEX_Vbroadcastss_zmm_k1z_xmmm32
    BroadcastSsX
        VEX_Vbroadcastss_xmm_xmm VEX_Vbroadcastss_ymm_xmm
        EVEX_Vbroadcastss_xmm_k1z_xmmm32 EVEX_Vbroadcastss_ymm_k1z_xmmm32 EVEX_Vbroadcastss_zmm_k1z_xmmm32
    CmpPd
        VEX_Vcmppd_xmm_xmm_xmmm128_imm8 VEX_Vcmppd_ymm_ymm_ymmm256_imm8
        INVALID INVALID INVALID
    CmpPs
        VEX_Vcmpps_xmm_xmm_xmmm128_imm8 VEX_Vcmpps_ymm_ymm_ymmm256_imm8
        INVALID INVALID INVALID
    Cvtdq2pd
        VEX_Vcvtdq2pd_xmm_xmmm64 VEX_Vcvtdq2pd_ymm_xmmm128
        EVEX_Vcvtdq2pd_xmm_k1z_xmmm64b32 EVEX_Vcvtdq2pd_ymm_k1z_xmmm128b32 EVEX_Vcvtdq2pd_zmm_k1z_ymmm256b32_er
    Cvtdq2ps
        VEX_Vcvtdq2ps_xmm_xmmm128 VEX_Vcvtdq2ps_ymm_ymmm256
        EVEX_Vcvtdq2ps_xmm_k1z_xmmm128b32 EVEX_Vcvtdq2ps_ymm_k1z_ymmm256b32 EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er
    Cvtpd2ps
        VEX_Vcvtpd2ps_xmm_xmmm128 VEX_Vcvtpd2ps_xmm_ymmm256
        EVEX_Vcvtpd2ps_xmm_k1z_xmmm128b64 EVEX_Vcvtpd2ps_xmm_k1z_ymmm256b64 EVEX_Vcvtpd2ps_ymm_k1z_zmmm512b64_er
    Cvtph2ps
        VEX_Vcvtph2ps_xmm_xmmm64 VEX_Vcvtph2ps_ymm_xmmm128
        EVEX_Vcvtph2ps_xmm_k1z_xmmm64 EVEX_Vcvtph2ps_ymm_k1z_xmmm128 EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae
    Cvtps2pd
        VEX_Vcvtps2pd_xmm_xmmm64 VEX_Vcvtps2pd_ymm_xmmm128
        EVEX_Vcvtps2pd_xmm_k1z_xmmm64b32 EVEX_Vcvtps2pd_ymm_k1z_xmmm128b32 EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae
    Cvtps2ph
        VEX_Vcvtps2ph_xmmm64_xmm_imm8 VEX_Vcvtps2ph_xmmm128_ymm_imm8
        EVEX_Vcvtps2ph_xmmm64_k1z_xmm_imm8 EVEX_Vcvtps2ph_xmmm128_k1z_ymm_imm8 EVEX_Vcvtps2ph_ymmm256_k1z_zmm_imm8_sae
    Cvtqq2pd
        INVALID INVALID
        EVEX_Vcvtqq2pd_xmm_k1z_xmmm128b64 EVEX_Vcvtqq2pd_ymm_k1z_ymmm256b64 EVEX_Vcvtqq2pd_zmm_k1z_zmmm512b64_er
    Cvtqq2ps
        INVALID INVALID
        EVEX_Vcvtqq2ps_xmm_k1z_xmmm128b64 EVEX_Vcvtqq2ps_xmm_k1z_ymmm256b64 EVEX_Vcvtqq2ps_ymm_k1z_zmmm512b64_er
    Cvtsd2ss
        VEX_Vcvtsd2ss_xmm_xmm_xmmm64 INVALID
        EVEX_Vcvtsd2ss_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Cvtsi2Sd32
        VEX_Vcvtsi2sd_xmm_xmm_rm32 INVALID
        EVEX_Vcvtsi2sd_xmm_xmm_rm32_er INVALID INVALID
    Cvtsi2Sd64
        VEX_Vcvtsi2sd_xmm_xmm_rm64 INVALID
        EVEX_Vcvtsi2sd_xmm_xmm_rm64_er INVALID INVALID
    Cvtsi2Ss32
        VEX_Vcvtsi2ss_xmm_xmm_rm32 INVALID
        EVEX_Vcvtsi2ss_xmm_xmm_rm32_er INVALID INVALID
    Cvtsi2Ss64
        VEX_Vcvtsi2ss_xmm_xmm_rm64 INVALID
        EVEX_Vcvtsi2ss_xmm_xmm_rm64_er INVALID INVALID
    Cvtss2sd
        VEX_Vcvtss2sd_xmm_xmm_xmmm32 INVALID
        EVEX_Vcvtss2sd_xmm_k1z_xmm_xmmm32_sae INVALID INVALID
    CvttSd2si64
        VEX_Vcvttsd2si_r64_xmmm64 INVALID
        EVEX_Vcvttsd2si_r64_xmmm64_sae INVALID INVALID
    Cvttpd2dq
        VEX_Vcvttpd2dq_xmm_xmmm128 VEX_Vcvttpd2dq_xmm_ymmm256
        EVEX_Vcvttpd2dq_xmm_k1z_xmmm128b64 EVEX_Vcvttpd2dq_xmm_k1z_ymmm256b64 EVEX_Vcvttpd2dq_ymm_k1z_zmmm512b64_sae
    Cvttpd2qq
        INVALID INVALID
        EVEX_Vcvttpd2qq_xmm_k1z_xmmm128b64 EVEX_Vcvttpd2qq_ymm_k1z_ymmm256b64 EVEX_Vcvttpd2qq_zmm_k1z_zmmm512b64_sae
    Cvttpd2udq
        INVALID INVALID
        EVEX_Vcvttpd2udq_xmm_k1z_xmmm128b64 EVEX_Vcvttpd2udq_xmm_k1z_ymmm256b64 EVEX_Vcvttpd2udq_ymm_k1z_zmmm512b64_sae
    Cvttpd2uqq
        INVALID INVALID
        EVEX_Vcvttpd2uqq_xmm_k1z_xmmm128b64 EVEX_Vcvttpd2uqq_ymm_k1z_ymmm256b64 EVEX_Vcvttpd2uqq_zmm_k1z_zmmm512b64_sae
    Cvttps2dq
        VEX_Vcvttps2dq_xmm_xmmm128 VEX_Vcvttps2dq_ymm_ymmm256
        EVEX_Vcvttps2dq_xmm_k1z_xmmm128b32 EVEX_Vcvttps2dq_ymm_k1z_ymmm256b32 EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae
    Cvttps2qq
        INVALID INVALID
        EVEX_Vcvttps2qq_xmm_k1z_xmmm64b32 EVEX_Vcvttps2qq_ymm_k1z_xmmm128b32 EVEX_Vcvttps2qq_zmm_k1z_ymmm256b32_sae
    Cvttps2udq
        INVALID INVALID
        EVEX_Vcvttps2udq_xmm_k1z_xmmm128b32 EVEX_Vcvttps2udq_ymm_k1z_ymmm256b32 EVEX_Vcvttps2udq_zmm_k1z_zmmm512b32_sae
    Cvttps2uqq
        INVALID INVALID
        EVEX_Vcvttps2uqq_xmm_k1z_xmmm64b32 EVEX_Vcvttps2uqq_ymm_k1z_xmmm128b32 EVEX_Vcvttps2uqq_zmm_k1z_ymmm256b32_sae
    Cvtudq2pd
        INVALID INVALID
        EVEX_Vcvtudq2pd_xmm_k1z_xmmm64b32 EVEX_Vcvtudq2pd_ymm_k1z_xmmm128b32 EVEX_Vcvtudq2pd_zmm_k1z_ymmm256b32_er
    Cvtudq2ps
        INVALID INVALID
        EVEX_Vcvtudq2ps_xmm_k1z_xmmm128b32 EVEX_Vcvtudq2ps_ymm_k1z_ymmm256b32 EVEX_Vcvtudq2ps_zmm_k1z_zmmm512b32_er
    Cvtuqq2pd
        INVALID INVALID
        EVEX_Vcvtuqq2pd_xmm_k1z_xmmm128b64 EVEX_Vcvtuqq2pd_ymm_k1z_ymmm256b64 EVEX_Vcvtuqq2pd_zmm_k1z_zmmm512b64_er
    Cvtuqq2ps
        INVALID INVALID
        EVEX_Vcvtuqq2ps_xmm_k1z_xmmm128b64 EVEX_Vcvtuqq2ps_xmm_k1z_ymmm256b64 EVEX_Vcvtuqq2ps_ymm_k1z_zmmm512b64_er
    Cvtusi2Sd32
        INVALID INVALID
        EVEX_Vcvtusi2sd_xmm_xmm_rm32_er INVALID INVALID
    Cvtusi2Sd64
        INVALID INVALID
        EVEX_Vcvtusi2sd_xmm_xmm_rm64_er INVALID INVALID
    Cvtusi2Ss32
        INVALID INVALID
        EVEX_Vcvtusi2ss_xmm_xmm_rm32_er INVALID INVALID
    Cvtusi2Ss64
        INVALID INVALID
        EVEX_Vcvtusi2ss_xmm_xmm_rm64_er INVALID INVALID
    DivPd
        VEX_Vdivpd_xmm_xmm_xmmm128 VEX_Vdivpd_ymm_ymm_ymmm256
        EVEX_Vdivpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vdivpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vdivpd_zmm_k1z_zmm_zmmm512b64_er
    DivPs
        VEX_Vdivps_xmm_xmm_xmmm128 VEX_Vdivps_ymm_ymm_ymmm256
        EVEX_Vdivps_xmm_k1z_xmm_xmmm128b32 EVEX_Vdivps_ymm_k1z_ymm_ymmm256b32 EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er
    DivSd
        VEX_Vdivsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vdivsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    DivSs
        VEX_Vdivss_xmm_xmm_xmmm32 INVALID
        EVEX_Vdivss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Extract128
        INVALID VEX_Vextracti128_xmmm128_ymm_imm8
        INVALID EVEX_Vextracti32x4_xmmm128_k1z_ymm_imm8 EVEX_Vextracti32x4_xmmm128_k1z_zmm_imm8
    ExtractHalf
        INVALID VEX_Vextracti128_xmmm128_ymm_imm8
        INVALID EVEX_Vextracti32x4_xmmm128_k1z_ymm_imm8 EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8
    Fmadd132Pd
        VEX_Vfmadd132pd_xmm_xmm_xmmm128 VEX_Vfmadd132pd_ymm_ymm_ymmm256
        EVEX_Vfmadd132pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmadd132pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmadd132pd_zmm_k1z_zmm_zmmm512b64_er
    Fmadd132Ps
        VEX_Vfmadd132ps_xmm_xmm_xmmm128 VEX_Vfmadd132ps_ymm_ymm_ymmm256
        EVEX_Vfmadd132ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmadd132ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmadd132ps_zmm_k1z_zmm_zmmm512b32_er
    Fmadd132Sd
        VEX_Vfmadd132sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmadd132sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmadd132Ss
        VEX_Vfmadd132ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmadd132ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fmadd213Pd
        VEX_Vfmadd213pd_xmm_xmm_xmmm128 VEX_Vfmadd213pd_ymm_ymm_ymmm256
        EVEX_Vfmadd213pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmadd213pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmadd213pd_zmm_k1z_zmm_zmmm512b64_er
    Fmadd213Ps
        VEX_Vfmadd213ps_xmm_xmm_xmmm128 VEX_Vfmadd213ps_ymm_ymm_ymmm256
        EVEX_Vfmadd213ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmadd213ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er
    Fmadd213Sd
        VEX_Vfmadd213sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmadd213sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmadd213Ss
        VEX_Vfmadd213ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmadd213ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fmadd231Pd
        VEX_Vfmadd231pd_xmm_xmm_xmmm128 VEX_Vfmadd231pd_ymm_ymm_ymmm256
        EVEX_Vfmadd231pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmadd231pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmadd231pd_zmm_k1z_zmm_zmmm512b64_er
    Fmadd231Ps
        VEX_Vfmadd231ps_xmm_xmm_xmmm128 VEX_Vfmadd231ps_ymm_ymm_ymmm256
        EVEX_Vfmadd231ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er
    Fmadd231Sd
        VEX_Vfmadd231sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmadd231sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmadd231Ss
        VEX_Vfmadd231ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmadd231ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fmsub132Pd
        VEX_Vfmsub132pd_xmm_xmm_xmmm128 VEX_Vfmsub132pd_ymm_ymm_ymmm256
        EVEX_Vfmsub132pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmsub132pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmsub132pd_zmm_k1z_zmm_zmmm512b64_er
    Fmsub132Ps
        VEX_Vfmsub132ps_xmm_xmm_xmmm128 VEX_Vfmsub132ps_ymm_ymm_ymmm256
        EVEX_Vfmsub132ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmsub132ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmsub132ps_zmm_k1z_zmm_zmmm512b32_er
    Fmsub132Sd
        VEX_Vfmsub132sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmsub132sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmsub132Ss
        VEX_Vfmsub132ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmsub132ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fmsub213Pd
        VEX_Vfmsub213pd_xmm_xmm_xmmm128 VEX_Vfmsub213pd_ymm_ymm_ymmm256
        EVEX_Vfmsub213pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmsub213pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmsub213pd_zmm_k1z_zmm_zmmm512b64_er
    Fmsub213Ps
        VEX_Vfmsub213ps_xmm_xmm_xmmm128 VEX_Vfmsub213ps_ymm_ymm_ymmm256
        EVEX_Vfmsub213ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmsub213ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmsub213ps_zmm_k1z_zmm_zmmm512b32_er
    Fmsub213Sd
        VEX_Vfmsub213sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmsub213sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmsub213Ss
        VEX_Vfmsub213ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmsub213ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fmsub231Pd
        VEX_Vfmsub231pd_xmm_xmm_xmmm128 VEX_Vfmsub231pd_ymm_ymm_ymmm256
        EVEX_Vfmsub231pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfmsub231pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfmsub231pd_zmm_k1z_zmm_zmmm512b64_er
    Fmsub231Ps
        VEX_Vfmsub231ps_xmm_xmm_xmmm128 VEX_Vfmsub231ps_ymm_ymm_ymmm256
        EVEX_Vfmsub231ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfmsub231ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfmsub231ps_zmm_k1z_zmm_zmmm512b32_er
    Fmsub231Sd
        VEX_Vfmsub231sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfmsub231sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fmsub231Ss
        VEX_Vfmsub231ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfmsub231ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmadd132Pd
        VEX_Vfnmadd132pd_xmm_xmm_xmmm128 VEX_Vfnmadd132pd_ymm_ymm_ymmm256
        EVEX_Vfnmadd132pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmadd132pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmadd132pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmadd132Ps
        VEX_Vfnmadd132ps_xmm_xmm_xmmm128 VEX_Vfnmadd132ps_ymm_ymm_ymmm256
        EVEX_Vfnmadd132ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmadd132ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmadd132ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmadd132Sd
        VEX_Vfnmadd132sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmadd132sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmadd132Ss
        VEX_Vfnmadd132ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmadd132ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmadd213Pd
        VEX_Vfnmadd213pd_xmm_xmm_xmmm128 VEX_Vfnmadd213pd_ymm_ymm_ymmm256
        EVEX_Vfnmadd213pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmadd213pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmadd213pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmadd213Ps
        VEX_Vfnmadd213ps_xmm_xmm_xmmm128 VEX_Vfnmadd213ps_ymm_ymm_ymmm256
        EVEX_Vfnmadd213ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmadd213ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmadd213ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmadd213Sd
        VEX_Vfnmadd213sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmadd213sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmadd213Ss
        VEX_Vfnmadd213ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmadd213ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmadd231Pd
        VEX_Vfnmadd231pd_xmm_xmm_xmmm128 VEX_Vfnmadd231pd_ymm_ymm_ymmm256
        EVEX_Vfnmadd231pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmadd231pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmadd231pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmadd231Ps
        VEX_Vfnmadd231ps_xmm_xmm_xmmm128 VEX_Vfnmadd231ps_ymm_ymm_ymmm256
        EVEX_Vfnmadd231ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmadd231ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmadd231ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmadd231Sd
        VEX_Vfnmadd231sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmadd231sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmadd231Ss
        VEX_Vfnmadd231ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmadd231ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmsub132Pd
        VEX_Vfnmsub132pd_xmm_xmm_xmmm128 VEX_Vfnmsub132pd_ymm_ymm_ymmm256
        EVEX_Vfnmsub132pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmsub132pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmsub132pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmsub132Ps
        VEX_Vfnmsub132ps_xmm_xmm_xmmm128 VEX_Vfnmsub132ps_ymm_ymm_ymmm256
        EVEX_Vfnmsub132ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmsub132ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmsub132ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmsub132Sd
        VEX_Vfnmsub132sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmsub132sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmsub132Ss
        VEX_Vfnmsub132ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmsub132ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmsub213Pd
        VEX_Vfnmsub213pd_xmm_xmm_xmmm128 VEX_Vfnmsub213pd_ymm_ymm_ymmm256
        EVEX_Vfnmsub213pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmsub213pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmsub213pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmsub213Ps
        VEX_Vfnmsub213ps_xmm_xmm_xmmm128 VEX_Vfnmsub213ps_ymm_ymm_ymmm256
        EVEX_Vfnmsub213ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmsub213ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmsub213ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmsub213Sd
        VEX_Vfnmsub213sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmsub213sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmsub213Ss
        VEX_Vfnmsub213ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmsub213ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    Fnmsub231Pd
        VEX_Vfnmsub231pd_xmm_xmm_xmmm128 VEX_Vfnmsub231pd_ymm_ymm_ymmm256
        EVEX_Vfnmsub231pd_xmm_k1z_xmm_xmmm128b64 EVEX_Vfnmsub231pd_ymm_k1z_ymm_ymmm256b64 EVEX_Vfnmsub231pd_zmm_k1z_zmm_zmmm512b64_er
    Fnmsub231Ps
        VEX_Vfnmsub231ps_xmm_xmm_xmmm128 VEX_Vfnmsub231ps_ymm_ymm_ymmm256
        EVEX_Vfnmsub231ps_xmm_k1z_xmm_xmmm128b32 EVEX_Vfnmsub231ps_ymm_k1z_ymm_ymmm256b32 EVEX_Vfnmsub231ps_zmm_k1z_zmm_zmmm512b32_er
    Fnmsub231Sd
        VEX_Vfnmsub231sd_xmm_xmm_xmmm64 INVALID
        EVEX_Vfnmsub231sd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    Fnmsub231Ss
        VEX_Vfnmsub231ss_xmm_xmm_xmmm32 INVALID
        EVEX_Vfnmsub231ss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    GatherDPd
        VEX_Vgatherdpd_xmm_vm32x_xmm VEX_Vgatherdpd_ymm_vm32x_ymm
        INVALID INVALID INVALID
    GatherDPs
        VEX_Vgatherdps_xmm_vm32x_xmm VEX_Vgatherdps_ymm_vm32y_ymm
        INVALID INVALID INVALID
    InsertHalf
        INVALID VEX_Vinserti128_ymm_ymm_xmmm128_imm8
        INVALID EVEX_Vinserti32x4_ymm_k1z_ymm_xmmm128_imm8 EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8
    KcmpD
        INVALID INVALID
        EVEX_Vpcmpd_kr_k1_xmm_xmmm128b32_imm8 EVEX_Vpcmpd_kr_k1_ymm_ymmm256b32_imm8 EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8
    KcmpPd
        INVALID INVALID
        EVEX_Vcmppd_kr_k1_xmm_xmmm128b64_imm8 EVEX_Vcmppd_kr_k1_ymm_ymmm256b64_imm8 EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae
    KcmpPs
        INVALID INVALID
        EVEX_Vcmpps_kr_k1_xmm_xmmm128b32_imm8 EVEX_Vcmpps_kr_k1_ymm_ymmm256b32_imm8 EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae
    KcmpQ
        INVALID INVALID
        EVEX_Vpcmpq_kr_k1_xmm_xmmm128b64_imm8 EVEX_Vpcmpq_kr_k1_ymm_ymmm256b64_imm8 EVEX_Vpcmpq_kr_k1_zmm_zmmm512b64_imm8
    KcmpuD
        INVALID INVALID
        EVEX_Vpcmpud_kr_k1_xmm_xmmm128b32_imm8 EVEX_Vpcmpud_kr_k1_ymm_ymmm256b32_imm8 EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8
    KcmpuQ
        INVALID INVALID
        EVEX_Vpcmpuq_kr_k1_xmm_xmmm128b64_imm8 EVEX_Vpcmpuq_kr_k1_ymm_ymmm256b64_imm8 EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8
    KgatherDPd
        INVALID INVALID
        EVEX_Vgatherdpd_xmm_k1_vm32x EVEX_Vgatherdpd_ymm_k1_vm32x EVEX_Vgatherdpd_zmm_k1_vm32y
    KgatherDPs
        INVALID INVALID
        EVEX_Vgatherdps_xmm_k1_vm32x EVEX_Vgatherdps_ymm_k1_vm32y EVEX_Vgatherdps_zmm_k1_vm32z
    MaskmovPd
        VEX_Vmaskmovpd_xmm_xmm_m128 VEX_Vmaskmovpd_ymm_ymm_m256
        INVALID INVALID INVALID
    MaskmovPdStore
        VEX_Vmaskmovpd_m128_xmm_xmm VEX_Vmaskmovpd_m256_ymm_ymm
        INVALID INVALID INVALID
    MaskmovPs
        VEX_Vmaskmovps_xmm_xmm_m128 VEX_Vmaskmovps_ymm_ymm_m256
        INVALID INVALID INVALID
    MaskmovPsStore
        VEX_Vmaskmovps_m128_xmm_xmm VEX_Vmaskmovps_m256_ymm_ymm
        INVALID INVALID INVALID
    MaxPd
        VEX_Vmaxpd_xmm_xmm_xmmm128 VEX_Vmaxpd_ymm_ymm_ymmm256
        EVEX_Vmaxpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vmaxpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vmaxpd_zmm_k1z_zmm_zmmm512b64_sae
    MaxPs
        VEX_Vmaxps_xmm_xmm_xmmm128 VEX_Vmaxps_ymm_ymm_ymmm256
        EVEX_Vmaxps_xmm_k1z_xmm_xmmm128b32 EVEX_Vmaxps_ymm_k1z_ymm_ymmm256b32 EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae
    MaxSd
        VEX_Vmaxsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vmaxsd_xmm_k1z_xmm_xmmm64_sae INVALID INVALID
    MaxSs
        VEX_Vmaxss_xmm_xmm_xmmm32 INVALID
        EVEX_Vmaxss_xmm_k1z_xmm_xmmm32_sae INVALID INVALID
    MinPd
        VEX_Vminpd_xmm_xmm_xmmm128 VEX_Vminpd_ymm_ymm_ymmm256
        EVEX_Vminpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vminpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vminpd_zmm_k1z_zmm_zmmm512b64_sae
    MinPs
        VEX_Vminps_xmm_xmm_xmmm128 VEX_Vminps_ymm_ymm_ymmm256
        EVEX_Vminps_xmm_k1z_xmm_xmmm128b32 EVEX_Vminps_ymm_k1z_ymm_ymmm256b32 EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae
    MinSd
        VEX_Vminsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vminsd_xmm_k1z_xmm_xmmm64_sae INVALID INVALID
    MinSs
        VEX_Vminss_xmm_xmm_xmmm32 INVALID
        EVEX_Vminss_xmm_k1z_xmm_xmmm32_sae INVALID INVALID
    MovDFromX
        VEX_Vmovd_rm32_xmm INVALID
        EVEX_Vmovd_rm32_xmm INVALID INVALID
    MovDToX
        VEX_Vmovd_xmm_rm32 INVALID
        EVEX_Vmovd_xmm_rm32 INVALID INVALID
    MovQFromX
        VEX_Vmovq_rm64_xmm INVALID
        EVEX_Vmovq_rm64_xmm INVALID INVALID
    MovQToX
        VEX_Vmovq_xmm_rm64 INVALID
        EVEX_Vmovq_xmm_rm64 INVALID INVALID
    MovSdLoad
        VEX_Vmovsd_xmm_m64 INVALID
        EVEX_Vmovsd_xmm_k1z_m64 INVALID INVALID
    MovSdStore
        VEX_Vmovsd_m64_xmm INVALID
        EVEX_Vmovsd_m64_k1_xmm INVALID INVALID
    MovSsLoad
        VEX_Vmovss_xmm_m32 INVALID
        EVEX_Vmovss_xmm_k1z_m32 INVALID INVALID
    MovSsStore
        VEX_Vmovss_m32_xmm INVALID
        EVEX_Vmovss_m32_k1_xmm INVALID INVALID
    MovaPs
        VEX_Vmovaps_xmm_xmmm128 VEX_Vmovaps_ymm_ymmm256
        EVEX_Vmovaps_xmm_k1z_xmmm128 EVEX_Vmovaps_ymm_k1z_ymmm256 EVEX_Vmovaps_zmm_k1z_zmmm512
    MovmskPs
        VEX_Vmovmskps_r32_xmm VEX_Vmovmskps_r32_ymm
        INVALID INVALID INVALID
    MovuPd
        VEX_Vmovupd_xmm_xmmm128 VEX_Vmovupd_ymm_ymmm256
        EVEX_Vmovupd_xmm_k1z_xmmm128 EVEX_Vmovupd_ymm_k1z_ymmm256 EVEX_Vmovupd_zmm_k1z_zmmm512
    MovntPsStore
        VEX_Vmovntps_m128_xmm VEX_Vmovntps_m256_ymm
        EVEX_Vmovntps_m128_xmm EVEX_Vmovntps_m256_ymm EVEX_Vmovntps_m512_zmm
    MovuPdStore
        VEX_Vmovupd_xmmm128_xmm VEX_Vmovupd_ymmm256_ymm
        EVEX_Vmovupd_xmmm128_k1z_xmm EVEX_Vmovupd_ymmm256_k1z_ymm EVEX_Vmovupd_zmmm512_k1z_zmm
    MovuPs
        VEX_Vmovups_xmm_xmmm128 VEX_Vmovups_ymm_ymmm256
        EVEX_Vmovups_xmm_k1z_xmmm128 EVEX_Vmovups_ymm_k1z_ymmm256 EVEX_Vmovups_zmm_k1z_zmmm512
    MovuPsStore
        VEX_Vmovups_xmmm128_xmm VEX_Vmovups_ymmm256_ymm
        EVEX_Vmovups_xmmm128_k1z_xmm EVEX_Vmovups_ymmm256_k1z_ymm EVEX_Vmovups_zmmm512_k1z_zmm
    MulPd
        VEX_Vmulpd_xmm_xmm_xmmm128 VEX_Vmulpd_ymm_ymm_ymmm256
        EVEX_Vmulpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vmulpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er
    MulPs
        VEX_Vmulps_xmm_xmm_xmmm128 VEX_Vmulps_ymm_ymm_ymmm256
        EVEX_Vmulps_xmm_k1z_xmm_xmmm128b32 EVEX_Vmulps_ymm_k1z_ymm_ymmm256b32 EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er
    MulSd
        VEX_Vmulsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vmulsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    MulSs
        VEX_Vmulss_xmm_xmm_xmmm32 INVALID
        EVEX_Vmulss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    PabsD
        VEX_Vpabsd_xmm_xmmm128 VEX_Vpabsd_ymm_ymmm256
        EVEX_Vpabsd_xmm_k1z_xmmm128b32 EVEX_Vpabsd_ymm_k1z_ymmm256b32 EVEX_Vpabsd_zmm_k1z_zmmm512b32
    PabsQ
        INVALID INVALID
        EVEX_Vpabsq_xmm_k1z_xmmm128b64 EVEX_Vpabsq_ymm_k1z_ymmm256b64 EVEX_Vpabsq_zmm_k1z_zmmm512b64
    PaddD
        VEX_Vpaddd_xmm_xmm_xmmm128 VEX_Vpaddd_ymm_ymm_ymmm256
        EVEX_Vpaddd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpaddd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32
    PaddQ
        VEX_Vpaddq_xmm_xmm_xmmm128 VEX_Vpaddq_ymm_ymm_ymmm256
        EVEX_Vpaddq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpaddq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpaddq_zmm_k1z_zmm_zmmm512b64
    PandD
        VEX_Vpand_xmm_xmm_xmmm128 VEX_Vpand_ymm_ymm_ymmm256
        EVEX_Vpandd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpandd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32
    PandQ
        VEX_Vpand_xmm_xmm_xmmm128 VEX_Vpand_ymm_ymm_ymmm256
        EVEX_Vpandq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpandq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64
    PandnD
        VEX_Vpandn_xmm_xmm_xmmm128 VEX_Vpandn_ymm_ymm_ymmm256
        EVEX_Vpandnd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpandnd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpandnd_zmm_k1z_zmm_zmmm512b32
    PandnQ
        VEX_Vpandn_xmm_xmm_xmmm128 VEX_Vpandn_ymm_ymm_ymmm256
        EVEX_Vpandnq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpandnq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpandnq_zmm_k1z_zmm_zmmm512b64
    Pblendd
        VEX_Vpblendd_xmm_xmm_xmmm128_imm8 VEX_Vpblendd_ymm_ymm_ymmm256_imm8
        INVALID INVALID INVALID
    PbroadcastD
        VEX_Vpbroadcastd_xmm_xmmm32 VEX_Vpbroadcastd_ymm_xmmm32
        EVEX_Vpbroadcastd_xmm_k1z_xmmm32 EVEX_Vpbroadcastd_ymm_k1z_xmmm32 EVEX_Vpbroadcastd_zmm_k1z_xmmm32
    PbroadcastGD
        INVALID INVALID
        EVEX_Vpbroadcastd_xmm_k1z_r32 EVEX_Vpbroadcastd_ymm_k1z_r32 EVEX_Vpbroadcastd_zmm_k1z_r32
    PbroadcastGQ
        INVALID INVALID
        EVEX_Vpbroadcastq_xmm_k1z_r64 EVEX_Vpbroadcastq_ymm_k1z_r64 EVEX_Vpbroadcastq_zmm_k1z_r64
    PbroadcastQ
        VEX_Vpbroadcastq_xmm_xmmm64 VEX_Vpbroadcastq_ymm_xmmm64
        EVEX_Vpbroadcastq_xmm_k1z_xmmm64 EVEX_Vpbroadcastq_ymm_k1z_xmmm64 EVEX_Vpbroadcastq_zmm_k1z_xmmm64
    PcmpeqD
        VEX_Vpcmpeqd_xmm_xmm_xmmm128 VEX_Vpcmpeqd_ymm_ymm_ymmm256
        INVALID INVALID INVALID
    PcmpeqQ
        VEX_Vpcmpeqq_xmm_xmm_xmmm128 VEX_Vpcmpeqq_ymm_ymm_ymmm256
        INVALID INVALID INVALID
    PcmpgtD
        VEX_Vpcmpgtd_xmm_xmm_xmmm128 VEX_Vpcmpgtd_ymm_ymm_ymmm256
        INVALID INVALID INVALID
    PcmpgtQ
        VEX_Vpcmpgtq_xmm_xmm_xmmm128 VEX_Vpcmpgtq_ymm_ymm_ymmm256
        INVALID INVALID INVALID
    Perm2X128
        INVALID VEX_Vperm2i128_ymm_ymm_ymmm256_imm8
        INVALID INVALID INVALID
    PermD
        INVALID VEX_Vpermd_ymm_ymm_ymmm256
        INVALID EVEX_Vpermd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpermd_zmm_k1z_zmm_zmmm512b32
    PermPs
        INVALID VEX_Vpermps_ymm_ymm_ymmm256
        INVALID EVEX_Vpermps_ymm_k1z_ymm_ymmm256b32 EVEX_Vpermps_zmm_k1z_zmm_zmmm512b32
    PermQ
        INVALID INVALID
        INVALID EVEX_Vpermq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpermq_zmm_k1z_zmm_zmmm512b64
    PermQI
        INVALID VEX_Vpermq_ymm_ymmm256_imm8
        INVALID EVEX_Vpermq_ymm_k1z_ymmm256b64_imm8 EVEX_Vpermq_zmm_k1z_zmmm512b64_imm8
    Permi2D
        INVALID INVALID
        EVEX_Vpermi2d_xmm_k1z_xmm_xmmm128b32 EVEX_Vpermi2d_ymm_k1z_ymm_ymmm256b32 EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32
    Permi2Q
        INVALID INVALID
        EVEX_Vpermi2q_xmm_k1z_xmm_xmmm128b64 EVEX_Vpermi2q_ymm_k1z_ymm_ymmm256b64 EVEX_Vpermi2q_zmm_k1z_zmm_zmmm512b64
    PermilPdI
        VEX_Vpermilpd_xmm_xmmm128_imm8 VEX_Vpermilpd_ymm_ymmm256_imm8
        EVEX_Vpermilpd_xmm_k1z_xmmm128b64_imm8 EVEX_Vpermilpd_ymm_k1z_ymmm256b64_imm8 EVEX_Vpermilpd_zmm_k1z_zmmm512b64_imm8
    PermilPs
        VEX_Vpermilps_xmm_xmm_xmmm128 VEX_Vpermilps_ymm_ymm_ymmm256
        EVEX_Vpermilps_xmm_k1z_xmm_xmmm128b32 EVEX_Vpermilps_ymm_k1z_ymm_ymmm256b32 EVEX_Vpermilps_zmm_k1z_zmm_zmmm512b32
    PermilPsI
        VEX_Vpermilps_xmm_xmmm128_imm8 VEX_Vpermilps_ymm_ymmm256_imm8
        EVEX_Vpermilps_xmm_k1z_xmmm128b32_imm8 EVEX_Vpermilps_ymm_k1z_ymmm256b32_imm8 EVEX_Vpermilps_zmm_k1z_zmmm512b32_imm8
    PextrD
        VEX_Vpextrd_rm32_xmm_imm8 INVALID
        EVEX_Vpextrd_rm32_xmm_imm8 INVALID INVALID
    PextrQ
        VEX_Vpextrq_rm64_xmm_imm8 INVALID
        EVEX_Vpextrq_rm64_xmm_imm8 INVALID INVALID
    PlzcntD
        INVALID INVALID
        EVEX_Vplzcntd_xmm_k1z_xmmm128b32 EVEX_Vplzcntd_ymm_k1z_ymmm256b32 EVEX_Vplzcntd_zmm_k1z_zmmm512b32
    PlzcntQ
        INVALID INVALID
        EVEX_Vplzcntq_xmm_k1z_xmmm128b64 EVEX_Vplzcntq_ymm_k1z_ymmm256b64 EVEX_Vplzcntq_zmm_k1z_zmmm512b64
    PmaxsD
        VEX_Vpmaxsd_xmm_xmm_xmmm128 VEX_Vpmaxsd_ymm_ymm_ymmm256
        EVEX_Vpmaxsd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpmaxsd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32
    PmaxsQ
        INVALID INVALID
        EVEX_Vpmaxsq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpmaxsq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpmaxsq_zmm_k1z_zmm_zmmm512b64
    PmaxuD
        VEX_Vpmaxud_xmm_xmm_xmmm128 VEX_Vpmaxud_ymm_ymm_ymmm256
        EVEX_Vpmaxud_xmm_k1z_xmm_xmmm128b32 EVEX_Vpmaxud_ymm_k1z_ymm_ymmm256b32 EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32
    PmaxuQ
        INVALID INVALID
        EVEX_Vpmaxuq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpmaxuq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpmaxuq_zmm_k1z_zmm_zmmm512b64
    PminsD
        VEX_Vpminsd_xmm_xmm_xmmm128 VEX_Vpminsd_ymm_ymm_ymmm256
        EVEX_Vpminsd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpminsd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32
    PminsQ
        INVALID INVALID
        EVEX_Vpminsq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpminsq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpminsq_zmm_k1z_zmm_zmmm512b64
    PminuD
        VEX_Vpminud_xmm_xmm_xmmm128 VEX_Vpminud_ymm_ymm_ymmm256
        EVEX_Vpminud_xmm_k1z_xmm_xmmm128b32 EVEX_Vpminud_ymm_k1z_ymm_ymmm256b32 EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32
    PminuQ
        INVALID INVALID
        EVEX_Vpminuq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpminuq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpminuq_zmm_k1z_zmm_zmmm512b64
    Pmovdw
        INVALID INVALID
        EVEX_Vpmovdw_xmmm64_k1z_xmm EVEX_Vpmovdw_xmmm128_k1z_ymm EVEX_Vpmovdw_ymmm256_k1z_zmm
    Pmovqd
        INVALID INVALID
        EVEX_Vpmovqd_xmmm64_k1z_xmm EVEX_Vpmovqd_xmmm128_k1z_ymm EVEX_Vpmovqd_ymmm256_k1z_zmm
    Pmovsxdq
        VEX_Vpmovsxdq_xmm_xmmm64 VEX_Vpmovsxdq_ymm_xmmm128
        EVEX_Vpmovsxdq_xmm_k1z_xmmm64 EVEX_Vpmovsxdq_ymm_k1z_xmmm128 EVEX_Vpmovsxdq_zmm_k1z_ymmm256
    Pmovzxdq
        VEX_Vpmovzxdq_xmm_xmmm64 VEX_Vpmovzxdq_ymm_xmmm128
        EVEX_Vpmovzxdq_xmm_k1z_xmmm64 EVEX_Vpmovzxdq_ymm_k1z_xmmm128 EVEX_Vpmovzxdq_zmm_k1z_ymmm256
    Pmovzxwd
        VEX_Vpmovzxwd_xmm_xmmm64 VEX_Vpmovzxwd_ymm_xmmm128
        EVEX_Vpmovzxwd_xmm_k1z_xmmm64 EVEX_Vpmovzxwd_ymm_k1z_xmmm128 EVEX_Vpmovzxwd_zmm_k1z_ymmm256
    PmullD
        VEX_Vpmulld_xmm_xmm_xmmm128 VEX_Vpmulld_ymm_ymm_ymmm256
        EVEX_Vpmulld_xmm_k1z_xmm_xmmm128b32 EVEX_Vpmulld_ymm_k1z_ymm_ymmm256b32 EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32
    PmullQ
        INVALID INVALID
        EVEX_Vpmullq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpmullq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpmullq_zmm_k1z_zmm_zmmm512b64
    Pmuludq
        VEX_Vpmuludq_xmm_xmm_xmmm128 VEX_Vpmuludq_ymm_ymm_ymmm256
        EVEX_Vpmuludq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpmuludq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpmuludq_zmm_k1z_zmm_zmmm512b64
    PopcntD
        INVALID INVALID
        EVEX_Vpopcntd_xmm_k1z_xmmm128b32 EVEX_Vpopcntd_ymm_k1z_ymmm256b32 EVEX_Vpopcntd_zmm_k1z_zmmm512b32
    PopcntQ
        INVALID INVALID
        EVEX_Vpopcntq_xmm_k1z_xmmm128b64 EVEX_Vpopcntq_ymm_k1z_ymmm256b64 EVEX_Vpopcntq_zmm_k1z_zmmm512b64
    PorD
        VEX_Vpor_xmm_xmm_xmmm128 VEX_Vpor_ymm_ymm_ymmm256
        EVEX_Vpord_xmm_k1z_xmm_xmmm128b32 EVEX_Vpord_ymm_k1z_ymm_ymmm256b32 EVEX_Vpord_zmm_k1z_zmm_zmmm512b32
    PorQ
        VEX_Vpor_xmm_xmm_xmmm128 VEX_Vpor_ymm_ymm_ymmm256
        EVEX_Vporq_xmm_k1z_xmm_xmmm128b64 EVEX_Vporq_ymm_k1z_ymm_ymmm256b64 EVEX_Vporq_zmm_k1z_zmm_zmmm512b64
    PshufB
        VEX_Vpshufb_xmm_xmm_xmmm128 VEX_Vpshufb_ymm_ymm_ymmm256
        EVEX_Vpshufb_xmm_k1z_xmm_xmmm128 EVEX_Vpshufb_ymm_k1z_ymm_ymmm256 EVEX_Vpshufb_zmm_k1z_zmm_zmmm512
    PshufD
        VEX_Vpshufd_xmm_xmmm128_imm8 VEX_Vpshufd_ymm_ymmm256_imm8
        EVEX_Vpshufd_xmm_k1z_xmmm128b32_imm8 EVEX_Vpshufd_ymm_k1z_ymmm256b32_imm8 EVEX_Vpshufd_zmm_k1z_zmmm512b32_imm8
    PsllD
        VEX_Vpslld_xmm_xmm_imm8 VEX_Vpslld_ymm_ymm_imm8
        EVEX_Vpslld_xmm_k1z_xmmm128b32_imm8 EVEX_Vpslld_ymm_k1z_ymmm256b32_imm8 EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8
    PsllQ
        VEX_Vpsllq_xmm_xmm_imm8 VEX_Vpsllq_ymm_ymm_imm8
        EVEX_Vpsllq_xmm_k1z_xmmm128b64_imm8 EVEX_Vpsllq_ymm_k1z_ymmm256b64_imm8 EVEX_Vpsllq_zmm_k1z_zmmm512b64_imm8
    PsllvD
        VEX_Vpsllvd_xmm_xmm_xmmm128 VEX_Vpsllvd_ymm_ymm_ymmm256
        EVEX_Vpsllvd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpsllvd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32
    PsllvQ
        VEX_Vpsllvq_xmm_xmm_xmmm128 VEX_Vpsllvq_ymm_ymm_ymmm256
        EVEX_Vpsllvq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpsllvq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpsllvq_zmm_k1z_zmm_zmmm512b64
    PsraD
        VEX_Vpsrad_xmm_xmm_imm8 VEX_Vpsrad_ymm_ymm_imm8
        EVEX_Vpsrad_xmm_k1z_xmmm128b32_imm8 EVEX_Vpsrad_ymm_k1z_ymmm256b32_imm8 EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8
    PsraQ
        INVALID INVALID
        EVEX_Vpsraq_xmm_k1z_xmmm128b64_imm8 EVEX_Vpsraq_ymm_k1z_ymmm256b64_imm8 EVEX_Vpsraq_zmm_k1z_zmmm512b64_imm8
    PsravD
        VEX_Vpsravd_xmm_xmm_xmmm128 VEX_Vpsravd_ymm_ymm_ymmm256
        EVEX_Vpsravd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpsravd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32
    PsravQ
        INVALID INVALID
        EVEX_Vpsravq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpsravq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpsravq_zmm_k1z_zmm_zmmm512b64
    PsrlD
        VEX_Vpsrld_xmm_xmm_imm8 VEX_Vpsrld_ymm_ymm_imm8
        EVEX_Vpsrld_xmm_k1z_xmmm128b32_imm8 EVEX_Vpsrld_ymm_k1z_ymmm256b32_imm8 EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8
    PsrlQ
        VEX_Vpsrlq_xmm_xmm_imm8 VEX_Vpsrlq_ymm_ymm_imm8
        EVEX_Vpsrlq_xmm_k1z_xmmm128b64_imm8 EVEX_Vpsrlq_ymm_k1z_ymmm256b64_imm8 EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8
    PsrlvD
        VEX_Vpsrlvd_xmm_xmm_xmmm128 VEX_Vpsrlvd_ymm_ymm_ymmm256
        EVEX_Vpsrlvd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpsrlvd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32
    PsrlvQ
        VEX_Vpsrlvq_xmm_xmm_xmmm128 VEX_Vpsrlvq_ymm_ymm_ymmm256
        EVEX_Vpsrlvq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpsrlvq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpsrlvq_zmm_k1z_zmm_zmmm512b64
    PsubD
        VEX_Vpsubd_xmm_xmm_xmmm128 VEX_Vpsubd_ymm_ymm_ymmm256
        EVEX_Vpsubd_xmm_k1z_xmm_xmmm128b32 EVEX_Vpsubd_ymm_k1z_ymm_ymmm256b32 EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32
    PsubQ
        VEX_Vpsubq_xmm_xmm_xmmm128 VEX_Vpsubq_ymm_ymm_ymmm256
        EVEX_Vpsubq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpsubq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64
    PternlogD
        INVALID INVALID
        EVEX_Vpternlogd_xmm_k1z_xmm_xmmm128b32_imm8 EVEX_Vpternlogd_ymm_k1z_ymm_ymmm256b32_imm8 EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8
    PternlogQ
        INVALID INVALID
        EVEX_Vpternlogq_xmm_k1z_xmm_xmmm128b64_imm8 EVEX_Vpternlogq_ymm_k1z_ymm_ymmm256b64_imm8 EVEX_Vpternlogq_zmm_k1z_zmm_zmmm512b64_imm8
    PunpckHiD
        VEX_Vpunpckhdq_xmm_xmm_xmmm128 VEX_Vpunpckhdq_ymm_ymm_ymmm256
        EVEX_Vpunpckhdq_xmm_k1z_xmm_xmmm128b32 EVEX_Vpunpckhdq_ymm_k1z_ymm_ymmm256b32 EVEX_Vpunpckhdq_zmm_k1z_zmm_zmmm512b32
    PunpckHiQ
        VEX_Vpunpckhqdq_xmm_xmm_xmmm128 VEX_Vpunpckhqdq_ymm_ymm_ymmm256
        EVEX_Vpunpckhqdq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpunpckhqdq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpunpckhqdq_zmm_k1z_zmm_zmmm512b64
    PunpckLoD
        VEX_Vpunpckldq_xmm_xmm_xmmm128 VEX_Vpunpckldq_ymm_ymm_ymmm256
        EVEX_Vpunpckldq_xmm_k1z_xmm_xmmm128b32 EVEX_Vpunpckldq_ymm_k1z_ymm_ymmm256b32 EVEX_Vpunpckldq_zmm_k1z_zmm_zmmm512b32
    PunpckLoQ
        VEX_Vpunpcklqdq_xmm_xmm_xmmm128 VEX_Vpunpcklqdq_ymm_ymm_ymmm256
        EVEX_Vpunpcklqdq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpunpcklqdq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpunpcklqdq_zmm_k1z_zmm_zmmm512b64
    PxorD
        VEX_Vpxor_xmm_xmm_xmmm128 VEX_Vpxor_ymm_ymm_ymmm256
        EVEX_Vpxord_xmm_k1z_xmm_xmmm128b32 EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32 EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32
    PxorQ
        VEX_Vpxor_xmm_xmm_xmmm128 VEX_Vpxor_ymm_ymm_ymmm256
        EVEX_Vpxorq_xmm_k1z_xmm_xmmm128b64 EVEX_Vpxorq_ymm_k1z_ymm_ymmm256b64 EVEX_Vpxorq_zmm_k1z_zmm_zmmm512b64
    Rcp14ss
        INVALID INVALID
        EVEX_Vrcp14ss_xmm_k1z_xmm_xmmm32 INVALID INVALID
    Rcpps
        VEX_Vrcpps_xmm_xmmm128 VEX_Vrcpps_ymm_ymmm256
        EVEX_Vrcp14ps_xmm_k1z_xmmm128b32 EVEX_Vrcp14ps_ymm_k1z_ymmm256b32 EVEX_Vrcp14ps_zmm_k1z_zmmm512b32
    Rcpss
        VEX_Vrcpss_xmm_xmm_xmmm32 INVALID
        INVALID INVALID INVALID
    RndPd
        VEX_Vroundpd_xmm_xmmm128_imm8 VEX_Vroundpd_ymm_ymmm256_imm8
        EVEX_Vrndscalepd_xmm_k1z_xmmm128b64_imm8 EVEX_Vrndscalepd_ymm_k1z_ymmm256b64_imm8 EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae
    RndPs
        VEX_Vroundps_xmm_xmmm128_imm8 VEX_Vroundps_ymm_ymmm256_imm8
        EVEX_Vrndscaleps_xmm_k1z_xmmm128b32_imm8 EVEX_Vrndscaleps_ymm_k1z_ymmm256b32_imm8 EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae
    RndSd
        VEX_Vroundsd_xmm_xmm_xmmm64_imm8 INVALID
        EVEX_Vrndscalesd_xmm_k1z_xmm_xmmm64_imm8_sae INVALID INVALID
    RndSs
        VEX_Vroundss_xmm_xmm_xmmm32_imm8 INVALID
        EVEX_Vrndscaless_xmm_k1z_xmm_xmmm32_imm8_sae INVALID INVALID
    Rsqrt14ps
        INVALID INVALID
        EVEX_Vrsqrt14ps_xmm_k1z_xmmm128b32 EVEX_Vrsqrt14ps_ymm_k1z_ymmm256b32 EVEX_Vrsqrt14ps_zmm_k1z_zmmm512b32
    Rsqrt14ss
        INVALID INVALID
        EVEX_Vrsqrt14ss_xmm_k1z_xmm_xmmm32 INVALID INVALID
    Rsqrtps
        VEX_Vrsqrtps_xmm_xmmm128 VEX_Vrsqrtps_ymm_ymmm256
        INVALID INVALID INVALID
    Rsqrtss
        VEX_Vrsqrtss_xmm_xmm_xmmm32 INVALID
        INVALID INVALID INVALID
    ScalefPd
        INVALID INVALID
        EVEX_Vscalefpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vscalefpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vscalefpd_zmm_k1z_zmm_zmmm512b64_er
    ScalefPs
        INVALID INVALID
        EVEX_Vscalefps_xmm_k1z_xmm_xmmm128b32 EVEX_Vscalefps_ymm_k1z_ymm_ymmm256b32 EVEX_Vscalefps_zmm_k1z_zmm_zmmm512b32_er
    ScalefSd
        INVALID INVALID
        EVEX_Vscalefsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    ScalefSs
        INVALID INVALID
        EVEX_Vscalefss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    ScatterDPd
        INVALID INVALID
        EVEX_Vscatterdpd_vm32x_k1_xmm EVEX_Vscatterdpd_vm32x_k1_ymm EVEX_Vscatterdpd_vm32y_k1_zmm
    ScatterDPs
        INVALID INVALID
        EVEX_Vscatterdps_vm32x_k1_xmm EVEX_Vscatterdps_vm32y_k1_ymm EVEX_Vscatterdps_vm32z_k1_zmm
    ShufPs
        VEX_Vshufps_xmm_xmm_xmmm128_imm8 VEX_Vshufps_ymm_ymm_ymmm256_imm8
        EVEX_Vshufps_xmm_k1z_xmm_xmmm128b32_imm8 EVEX_Vshufps_ymm_k1z_ymm_ymmm256b32_imm8 EVEX_Vshufps_zmm_k1z_zmm_zmmm512b32_imm8
    SqrtPd
        VEX_Vsqrtpd_xmm_xmmm128 VEX_Vsqrtpd_ymm_ymmm256
        EVEX_Vsqrtpd_xmm_k1z_xmmm128b64 EVEX_Vsqrtpd_ymm_k1z_ymmm256b64 EVEX_Vsqrtpd_zmm_k1z_zmmm512b64_er
    SqrtPs
        VEX_Vsqrtps_xmm_xmmm128 VEX_Vsqrtps_ymm_ymmm256
        EVEX_Vsqrtps_xmm_k1z_xmmm128b32 EVEX_Vsqrtps_ymm_k1z_ymmm256b32 EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er
    SqrtSd
        VEX_Vsqrtsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vsqrtsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    SqrtSs
        VEX_Vsqrtss_xmm_xmm_xmmm32 INVALID
        EVEX_Vsqrtss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    SubPd
        VEX_Vsubpd_xmm_xmm_xmmm128 VEX_Vsubpd_ymm_ymm_ymmm256
        EVEX_Vsubpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vsubpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vsubpd_zmm_k1z_zmm_zmmm512b64_er
    SubPs
        VEX_Vsubps_xmm_xmm_xmmm128 VEX_Vsubps_ymm_ymm_ymmm256
        EVEX_Vsubps_xmm_k1z_xmm_xmmm128b32 EVEX_Vsubps_ymm_k1z_ymm_ymmm256b32 EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er
    SubSd
        VEX_Vsubsd_xmm_xmm_xmmm64 INVALID
        EVEX_Vsubsd_xmm_k1z_xmm_xmmm64_er INVALID INVALID
    SubSs
        VEX_Vsubss_xmm_xmm_xmmm32 INVALID
        EVEX_Vsubss_xmm_k1z_xmm_xmmm32_er INVALID INVALID
    UcomiSd
        VEX_Vucomisd_xmm_xmmm64 INVALID
        EVEX_Vucomisd_xmm_xmmm64_sae INVALID INVALID
    UcomiSs
        VEX_Vucomiss_xmm_xmmm32 INVALID
        EVEX_Vucomiss_xmm_xmmm32_sae INVALID INVALID
    XorPd
        VEX_Vxorpd_xmm_xmm_xmmm128 VEX_Vxorpd_ymm_ymm_ymmm256
        EVEX_Vxorpd_xmm_k1z_xmm_xmmm128b64 EVEX_Vxorpd_ymm_k1z_ymm_ymmm256b64 EVEX_Vxorpd_zmm_k1z_zmm_zmmm512b64
    XorPs
        VEX_Vxorps_xmm_xmm_xmmm128 VEX_Vxorps_ymm_ymm_ymmm256
        EVEX_Vxorps_xmm_k1z_xmm_xmmm128b32 EVEX_Vxorps_ymm_k1z_ymm_ymmm256b32 EVEX_Vxorps_zmm_k1z_zmm_zmmm512b32
}
