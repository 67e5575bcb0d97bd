//! Instruction sets: which one the CPU has, and which one the variable `ELMAN_ISA` asks for.

use thiserror::Error;

/// An instruction set that has kernels of its own. All give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// AVX-512F, 16 lanes of f32.
    Avx512,
    /// AVX2 with FMA, 8 lanes of f32.
    Avx2,
    /// Plain Rust: every other processor, and always for f64.
    Portable,
}

/// Why an instruction set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IsaError {
    /// The word is no instruction set.
    #[error("ELMAN_ISA={0:?} is no instruction set; choose one of avx512, avx2, neon, portable")]
    Unknown(String),
    /// The CPU lacks it.
    #[error("this CPU lacks {wanted}; it has: {available}")]
    Missing {
        /// What was asked for.
        wanted: &'static str,
        /// What there is, separated by commas.
        available: String,
    },
    /// This build holds no kernels for it.
    #[error("{wanted} is not built into this binary; it has: {available}")]
    NotBuilt {
        /// What was asked for.
        wanted: &'static str,
        /// What there is, separated by commas.
        available: String,
    },
}

impl Isa {
    /// Its name in `ELMAN_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// The fastest one that this CPU has.
    pub fn detect() -> Isa {
        if Isa::Avx512.is_available() {
            Isa::Avx512
        } else if Isa::Avx2.is_available() {
            Isa::Avx2
        } else {
            Isa::Portable
        }
    }

    /// All that this CPU has, the fastest first.
    pub fn available() -> Vec<Isa> {
        [Isa::Avx512, Isa::Avx2, Isa::Portable].into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// Whether this CPU can run it.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Avx512 => has_avx512(),
            Isa::Avx2 => has_avx2(),
            Isa::Portable => true,
        }
    }

    /// What `ELMAN_ISA` names, or [`Isa::detect`] where it is unset or empty.
    ///
    /// Errors: a word that names no instruction set, or one that this CPU or build lacks.
    pub fn from_env() -> Result<Isa, IsaError> {
        match std::env::var_os("ELMAN_ISA") {
            None => Ok(Isa::detect()),
            Some(word) if word.is_empty() => Ok(Isa::detect()),
            Some(word) => Isa::from_name(&word.to_string_lossy()),
        }
    }

    /// From its name: avx512, avx2, neon or portable. On ARM, neon is what the portable kernels compile to.
    ///
    /// Errors: as [`Isa::from_env`].
    pub fn from_name(name: &str) -> Result<Isa, IsaError> {
        let isa = match name {
            "avx512" => Isa::Avx512,
            "avx2" => Isa::Avx2,
            "portable" => Isa::Portable,
            "neon" if cfg!(target_arch = "aarch64") => Isa::Portable,
            "neon" => return Err(IsaError::NotBuilt { wanted: "neon", available: Isa::choices() }),
            _ => return Err(IsaError::Unknown(name.to_string())),
        };
        if isa.is_available() {
            Ok(isa)
        } else if cfg!(target_arch = "x86_64") {
            Err(IsaError::Missing { wanted: isa.name(), available: Isa::choices() })
        } else {
            Err(IsaError::NotBuilt { wanted: isa.name(), available: Isa::choices() })
        }
    }

    fn choices() -> String {
        Isa::available().iter().map(|isa| isa.name()).collect::<Vec<_>>().join(", ")
    }
}

impl std::fmt::Display for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    !cfg!(miri) && has_avx2() && std::arch::is_x86_feature_detected!("avx512f")
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    !cfg!(miri) && std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for isa in Isa::available() {
            assert_eq!(Isa::from_name(isa.name()), Ok(isa));
        }
        assert!(Isa::available().contains(&Isa::detect()));
        assert_eq!(Isa::available().last(), Some(&Isa::Portable));
    }

    #[test]
    fn unknown_words_are_named() {
        let error = Isa::from_name("sse9").unwrap_err().to_string();
        assert!(error.contains("sse9") && error.contains("avx512, avx2, neon, portable"), "{error}");
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn neon_is_not_built_on_x86() {
        assert!(matches!(Isa::from_name("neon"), Err(IsaError::NotBuilt { wanted: "neon", .. })));
    }
}
