//! Text in whatever encoding, as UTF-8.

use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::FormatError;

const CHUNK_BYTES: usize = 64 << 10;

/// Reads a source of unknown encoding as UTF-8, without a byte-order mark.
pub(super) struct Text<R> {
    source: R,
    decoder: Decoder,
    encoding: &'static Encoding,
    raw: Vec<u8>,
    used: usize,
    ended: bool,
}

impl<R: Read + Seek> Text<R> {
    /// Recognises the encoding: by its mark, otherwise UTF-8 when the whole file is that, otherwise
    /// Windows-1252. The file is read once for it, because one wrong byte at its end decides.
    pub(super) fn open(file: &str, mut source: R) -> Result<Self, FormatError> {
        let encoding = recognise(file, &mut source)?;
        source.rewind().map_err(|error| FormatError::unreadable(file, &error))?;
        Ok(Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            raw: Vec::new(),
            used: 0,
            ended: false,
        })
    }

    /// Appends some more text to `out`; `false` when there is none.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let before = out.len();
        while out.len() == before && !self.ended {
            if self.used == self.raw.len() {
                self.raw.resize(CHUNK_BYTES, 0);
                let read = read_some(&mut self.source, &mut self.raw)?;
                self.raw.truncate(read);
                self.used = 0;
            }
            self.decode(out)?;
        }
        Ok(out.len() > before)
    }

    fn decode(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let last = self.raw.is_empty();
        let start = out.len();
        out.resize(start + CHUNK_BYTES, 0);
        let (result, read, written, replaced) =
            self.decoder.decode_to_utf8(&self.raw[self.used..], &mut out[start..], last);
        out.truncate(start + written);
        self.used += read;
        self.ended = last && result == CoderResult::InputEmpty;
        if replaced {
            let name = self.encoding.name();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it is not valid {name}"),
            ));
        }
        Ok(())
    }
}

fn read_some(source: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// What the bytes of a file say about its encoding.
#[derive(Default)]
struct Survey {
    /// Lines before the place looked at.
    lines: u64,
    /// Whether a character beyond ASCII was there, written in UTF-8.
    beyond_ascii: bool,
    /// Bytes at the end of a chunk that may be the beginning of a character.
    rest: Vec<u8>,
}

fn recognise<R: Read + Seek>(file: &str, source: &mut R) -> Result<&'static Encoding, FormatError> {
    let failed = |error: io::Error| FormatError::unreadable(file, &error);
    let mut mark = Vec::new();
    source.by_ref().take(3).read_to_end(&mut mark).map_err(failed)?;
    let marked = match mark.as_slice() {
        [0xff, 0xfe, ..] => return Ok(UTF_16LE),
        [0xfe, 0xff, ..] => return Ok(UTF_16BE),
        [0xef, 0xbb, 0xbf] => true,
        _ => false,
    };
    source.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut survey = Survey { lines: 1, ..Survey::default() };
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = read_some(source, &mut chunk).map_err(failed)?;
        if read == 0 {
            break;
        }
        if chunk[..read].contains(&0) {
            return Err(FormatError::new(
                file,
                survey.lines,
                "The file holds zero bytes: it is not text, or UTF-16 without a byte-order mark.",
            )
            .hint("Export the file as UTF-8."));
        }
        if !survey.is_utf8(&chunk[..read]) {
            return if marked { Err(broken_mark(file, survey.lines)) } else { Ok(WINDOWS_1252) };
        }
    }
    match (survey.rest.is_empty(), marked || survey.beyond_ascii) {
        (true, _) => Ok(UTF_8),
        (false, true) => Err(FormatError::new(
            file,
            survey.lines,
            "The file ends in the middle of a character: it was cut off.",
        )
        .hint(
            "Upload the file again. Upload under another name and rename it when it is complete.",
        )),
        (false, false) => Ok(WINDOWS_1252),
    }
}

impl Survey {
    /// Takes the next chunk; `false` when it is not UTF-8.
    fn is_utf8(&mut self, chunk: &[u8]) -> bool {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(chunk);
        let (valid, rest, fits) = match std::str::from_utf8(&bytes) {
            Ok(_) => (bytes.len(), 0, true),
            Err(error) if error.error_len().is_none() => {
                (error.valid_up_to(), bytes.len() - error.valid_up_to(), true)
            }
            Err(error) => (error.valid_up_to(), 0, false),
        };
        self.beyond_ascii |= !bytes[..valid].is_ascii();
        self.lines += bytes[..valid].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.rest = bytes[valid..valid + rest].to_vec();
        fits
    }
}

fn broken_mark(file: &str, line: u64) -> FormatError {
    FormatError::new(
        file,
        line,
        "The file is marked as UTF-8, but here is a byte that is not UTF-8.",
    )
    .hint("Export the file again; different encodings were mixed when it was put together.")
}
