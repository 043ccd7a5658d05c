//! The code's information set, a constant: `amparo-biometrics polar-table` prints it, a test derives it anew.

use super::bits::MESSAGE_BITS;

/// A position in the code's input, 0 to 511.
pub type PolarIndex = u16;

/// The positions that carry the message, ascending; all others are zero.
pub const INFORMATION_SET: [PolarIndex; MESSAGE_BITS] = [
    223, 239, 247, 250, 251, 252, 253, 254, 255, 319, 351, 366, 367, 371, 373, 374, 375, 377, 378, 379, 380, 381, 382,
    383, 413, 414, 415, 423, 427, 429, 430, 431, 435, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447, 455, 459,
    460, 461, 462, 463, 465, 466, 467, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477, 478, 479, 481, 482, 483, 484,
    485, 486, 487, 488, 489, 490, 491, 492, 493, 494, 495, 496, 497, 498, 499, 500, 501, 502, 503, 504, 505, 506, 507,
    508, 509, 510, 511,
];
