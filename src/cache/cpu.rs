//! What the processor can do, of what the engines' compilers make use of.

/// The features that are there, by name: those that either engine's compiler asks for. On other processors they ask for
/// none, or check what they load themselves.
pub(super) fn features() -> Vec<&'static str> {
    #[allow(unused_mut, reason = "on other processors nothing is asked for")]
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! ask {
            ($($name:tt)*) => { $(if std::arch::is_x86_feature_detected!($name) { found.push($name); })* };
        }
        ask!("sse2" "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "lzcnt" "bmi1" "bmi2" "cmpxchg16b" "avx" "avx2" "fma");
        ask!("avxvnni" "avx512f" "avx512dq" "avx512vl" "avx512bitalg" "avx512vbmi" "avx512vnni");
    }
    #[cfg(target_arch = "aarch64")]
    {
        macro_rules! ask {
            ($($name:tt)*) => { $(if std::arch::is_aarch64_feature_detected!($name) { found.push($name); })* };
        }
        ask!("neon" "lse" "fp16" "dotprod" "i8mm" "paca" "pacg");
    }
    found
}
