//! Bytes to [`Value`]s, strictly.

use super::Value;
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

/// How much CBOR is read before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes.
    pub bytes: usize,
    /// The most arrays, maps and tags inside one another; a scalar at the top has depth 0.
    pub depth: usize,
    /// The most data items, each key and each value counted.
    pub items: usize,
}

impl Limits {
    /// For credentials, requests and responses, and everything embedded in them: 256 KiB, depth 16, 8192 items.
    pub const MESSAGE: Self = Self { bytes: 256 * 1024, depth: 16, items: 8192 };
}

/// Why bytes are not CBOR that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// More bytes than allowed.
    #[error("CBOR of {got} bytes, at most {most} are read")]
    TooLong {
        /// The most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Arrays, maps and tags nested deeper than allowed.
    #[error("CBOR nested deeper than {most}")]
    TooDeep {
        /// The most that is read.
        most: usize,
    },
    /// More items than allowed.
    #[error("CBOR of more than {most} items")]
    TooMany {
        /// The most that is read.
        most: usize,
    },
    /// A key twice in one map.
    #[error("CBOR map with a key twice")]
    DuplicateKey,
    /// A map key that is neither an integer nor a text.
    #[error("CBOR map with a key that is neither an integer nor a text")]
    KeyKind,
    /// An item of indefinite length, or the end of one.
    #[error("CBOR of indefinite length")]
    Indefinite,
    /// A length, an integer or a tag in a longer form than it needs.
    #[error("CBOR head that is not in its shortest form")]
    NotShortest,
    /// An integer outside 64 bits with a sign.
    #[error("CBOR integer outside 64 bits")]
    Range,
    /// A floating-point number that is infinite, or none at all.
    #[error("CBOR floating-point number that is infinite or no number")]
    NotFinite,
    /// A simple value other than true, false and null.
    #[error("CBOR simple value other than true, false and null")]
    Simple,
    /// The bytes end within an item, or a length says more than there is.
    #[error("CBOR that ends within an item")]
    Truncated,
    /// Bytes after the item.
    #[error("bytes after the CBOR item")]
    Trailing,
    /// Not CBOR: a reserved head, or a text that is not UTF-8.
    #[error("not CBOR")]
    Malformed,
}

/// Reads one data item that is all of `bytes`.
///
/// Refused beyond RFC 8949: indefinite lengths, heads longer than they need be (a key could stand there twice in two
/// forms), keys twice in a map, keys that are neither integers nor texts, integers outside 64 bits, simple values other
/// than true, false and null, and numbers that are none: two readers would disagree on whether NaN equals itself, and JSON
/// has no word for it. Not demanded: an order of keys; floating-point numbers may have any width.
///
/// # Errors
/// [`CborError`] says which.
///
/// # Source
/// RFC 8949 §3, §5.3.1 (validity), §4.1 (preferred serialisation); PID Rulebook 1.4 §3.1.1 demands shortest heads and definite
/// lengths of everything in a PID. A refusal costs time and memory in proportion to the
/// bytes that came, never to a length they claim.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, CborError> {
    if bytes.len() > limits.bytes {
        return Err(CborError::TooLong { most: limits.bytes, got: bytes.len() });
    }
    let mut reader = Reader { decoder: Decoder::new(bytes), len: bytes.len(), items_left: limits.items, limits };
    let value = reader.value(limits.depth)?;
    if reader.decoder.position() == bytes.len() { Ok(value) } else { Err(CborError::Trailing) }
}

struct Reader<'b, 'l> {
    decoder: Decoder<'b>,
    len: usize,
    items_left: usize,
    limits: &'l Limits,
}

impl Reader<'_, '_> {
    /// Recursion is bounded by `depth`.
    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        self.items_left = self.items_left.checked_sub(1).ok_or(CborError::TooMany { most: self.limits.items })?;
        let start = self.decoder.position();
        match self.decoder.datatype().map_err(fault)? {
            Type::Bool => Ok(Value::Bool(self.decoder.bool().map_err(fault)?)),
            Type::Null => {
                self.decoder.null().map_err(fault)?;
                Ok(Value::Null)
            }
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
                let n = self.decoder.u64().map_err(fault)?;
                self.check_shortest(start, n, 0)?;
                i64::try_from(n).map(Value::Integer).map_err(|_| CborError::Range)
            }
            Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
                let n = self.decoder.i64().map_err(fault)?;
                // The argument of a negative integer n is -1 - n, which is its bitwise complement.
                self.check_shortest(start, (!n).unsigned_abs(), 0)?;
                Ok(Value::Integer(n))
            }
            Type::Int => Err(CborError::Range),
            Type::F16 => self.decoder.f16().map_err(fault).map(f64::from).and_then(number),
            Type::F32 => self.decoder.f32().map_err(fault).map(f64::from).and_then(number),
            Type::F64 => self.decoder.f64().map_err(fault).and_then(number),
            Type::Bytes => {
                let bytes = self.decoder.bytes().map_err(fault)?;
                self.check_shortest(start, bytes.len() as u64, bytes.len())?;
                Ok(Value::Bytes(bytes.to_vec()))
            }
            Type::String => {
                let text = self.decoder.str().map_err(fault)?;
                self.check_shortest(start, text.len() as u64, text.len())?;
                Ok(Value::Text(text.to_owned()))
            }
            Type::Array => {
                let n = self.decoder.array().map_err(fault)?;
                let (n, depth) = self.container(start, n, 1, depth)?;
                let mut items = Vec::with_capacity(n);
                for _ in 0..n {
                    items.push(self.value(depth)?);
                }
                Ok(Value::Array(items))
            }
            Type::Map => {
                let n = self.decoder.map().map_err(fault)?;
                let (n, depth) = self.container(start, n, 2, depth)?;
                let mut members = Vec::with_capacity(n);
                for _ in 0..n {
                    let key = self.value(depth)?;
                    if !matches!(key, Value::Integer(_) | Value::Text(_)) {
                        return Err(CborError::KeyKind);
                    }
                    members.push((key, self.value(depth)?));
                }
                check_keys(&members)?;
                Ok(Value::Map(members))
            }
            Type::Tag => {
                let tag = self.decoder.tag().map_err(fault)?.as_u64();
                self.check_shortest(start, tag, 0)?;
                let depth = self.deeper(depth)?;
                Ok(Value::Tag(tag, Box::new(self.value(depth)?)))
            }
            Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef | Type::Break => {
                Err(CborError::Indefinite)
            }
            Type::Undefined | Type::Simple => Err(CborError::Simple),
            Type::Unknown(_) => Err(CborError::Malformed),
        }
    }

    /// How many members there are and how deep they may go; refuses numbers that cannot be there before any is read.
    fn container(
        &self,
        start: usize,
        n: Option<u64>,
        items_each: usize,
        depth: usize,
    ) -> Result<(usize, usize), CborError> {
        let n = n.ok_or(CborError::Indefinite)?;
        self.check_shortest(start, n, 0)?;
        let items = usize::try_from(n).ok().and_then(|n| n.checked_mul(items_each)).ok_or(CborError::Truncated)?;
        if items > self.len - self.decoder.position() {
            return Err(CborError::Truncated);
        }
        if items > self.items_left {
            return Err(CborError::TooMany { most: self.limits.items });
        }
        Ok((items / items_each, self.deeper(depth)?))
    }

    fn deeper(&self, depth: usize) -> Result<usize, CborError> {
        depth.checked_sub(1).ok_or(CborError::TooDeep { most: self.limits.depth })
    }

    /// Refuses a head for `argument`, followed by `content` bytes, that is longer than it need be.
    fn check_shortest(&self, start: usize, argument: u64, content: usize) -> Result<(), CborError> {
        let head = match argument {
            0..=23 => 1,
            24..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        };
        if self.decoder.position() - start == head + content { Ok(()) } else { Err(CborError::NotShortest) }
    }
}

/// Each key once. Keys are integers and texts only.
fn check_keys(members: &[(Value, Value)]) -> Result<(), CborError> {
    let mut keys: Vec<(Option<&str>, Option<i64>)> =
        members.iter().map(|(key, _)| (key.as_text(), key.as_integer())).collect();
    keys.sort_unstable();
    let is_twice = keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    if is_twice { Err(CborError::DuplicateKey) } else { Ok(()) }
}

fn fault(error: Error) -> CborError {
    if error.is_end_of_input() { CborError::Truncated } else { CborError::Malformed }
}

fn number(float: f64) -> Result<Value, CborError> {
    if float.is_finite() { Ok(Value::Float(float)) } else { Err(CborError::NotFinite) }
}
