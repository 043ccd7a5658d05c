//! DEFLATE in the zlib format, inflated into a bounded space.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Why something does not inflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ZlibError {
    /// Not one zlib stream that ends where the input ends.
    #[error("not a zlib stream, or one that is cut off")]
    Compression,
    /// It would take more room than there is for it.
    #[error("it inflates to more than is taken")]
    Size,
}

/// Compresses at the highest level, as Token Status List §4.1 step 4 recommends.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut zlib = Compress::new(Compression::best(), true);
    // Stored blocks add 5 bytes for each 16 KiB, the envelope 6: this is enough whatever the input.
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 1024 + 64);
    // With all the input at hand and room for all the output, one call ends the stream.
    while let Ok(Status::Ok | Status::BufError) =
        zlib.compress_vec(remaining(bytes, zlib.total_in()), &mut out, FlushCompress::Finish)
    {
        out.reserve(1024);
    }
    out
}

/// Inflates exactly one zlib stream, which must end where the input ends.
///
/// Takes `limit` + 1 bytes of memory whatever the input claims.
pub(crate) fn inflate(deflated: &[u8], limit: usize) -> Result<Vec<u8>, ZlibError> {
    let mut zlib = Decompress::new(true);
    let mut out = vec![0; limit.saturating_add(1)];
    let ended = zlib.decompress(deflated, &mut out, FlushDecompress::Finish).map_err(|_| ZlibError::Compression)?;
    let length = usize::try_from(zlib.total_out()).unwrap_or(usize::MAX);
    if length > limit {
        return Err(ZlibError::Size);
    }
    // Truncated, or with something after the checksum: another reader might see another list.
    if ended != Status::StreamEnd || zlib.total_in() != deflated.len() as u64 {
        return Err(ZlibError::Compression);
    }
    out.truncate(length);
    out.shrink_to_fit();
    Ok(out)
}

fn remaining(bytes: &[u8], taken: u64) -> &[u8] {
    usize::try_from(taken).ok().and_then(|taken| bytes.get(taken..)).unwrap_or(&[])
}
