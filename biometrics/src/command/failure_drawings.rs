//! Minutiae of two prints beside each other, as a drawing: what is shown of an error where its pictures may not be passed on.

use biometrics::finger::{FingerTemplate, RecordFormat, write_record};

/// Both templates, the reference on the left; nothing if a template cannot be written as a standard's record.
pub(super) fn beside(reference: &FingerTemplate, probe: &FingerTemplate) -> Option<String> {
    let (left, right) = (Drawn::of(reference)?, Drawn::of(probe)?);
    let (width, height) = (left.width + right.width + GAP, left.height.max(right.height));
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{}<g transform=\"translate({},0)\">\n{}</g>\n</svg>\n",
        left.marks(),
        left.width + GAP,
        right.marks()
    ))
}

/// Where minutiae are and which way they point, as a record of ISO/IEC 19794-2 tells it.
struct Drawn {
    width: u32,
    height: u32,
    minutiae: Vec<(f64, f64, f64)>,
}

impl Drawn {
    fn of(template: &FingerTemplate) -> Option<Self> {
        let record = write_record(RecordFormat::Iso19794, template).ok()?;
        let (header, rest) = record.split_first_chunk::<28>()?;
        let number = |at: usize| Some(u32::from(u16::from_be_bytes([*header.get(at)?, *header.get(at + 1)?])));
        let count = usize::from(*header.get(27)?);
        let minutia = |bytes: &[u8; 6]| {
            let [x0, x1, y0, y1, angle, _] = *bytes;
            let place = |high: u8, low: u8| f64::from(u16::from_be_bytes([high & 0x3F, low]));
            (place(x0, x1), place(y0, y1), f64::from(angle) * std::f64::consts::TAU / 256.0)
        };
        let minutiae = rest.as_chunks::<6>().0.iter().take(count).map(minutia).collect();
        Some(Self { width: number(14)?, height: number(16)?, minutiae })
    }

    fn marks(&self) -> String {
        let Self { width, height, minutiae } = self;
        let mut text = format!("<rect width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"silver\"/>\n");
        for (x, y, angle) in minutiae {
            // Counter-clockwise, and rows count downwards.
            let (to_x, to_y) = (x + LENGTH * angle.cos(), y - LENGTH * angle.sin());
            text.push_str(&format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"none\" stroke=\"black\"/><path d=\"M{x} {y}L{to_x:.1} {to_y:.1}\" stroke=\"black\"/>\n"
            ));
        }
        text
    }
}

const GAP: u32 = 20;
const LENGTH: f64 = 11.0;

#[cfg(test)]
mod tests {
    use super::*;
    use biometrics::finger::read_records;

    #[test]
    fn two_prints_are_drawn_beside_each_other_with_every_minutia() {
        // One view of two minutiae, one of them pointing up.
        let mut record = b"FMR\0 20\0".to_vec();
        record.extend_from_slice(&[0, 0, 0, 40, 0, 0, 0x01, 0x2C, 0x01, 0x90, 0, 197, 0, 197, 1, 0, 0, 0, 80, 2]);
        record.extend_from_slice(&[0x40, 50, 0, 60, 64, 50, 0x80, 100, 0, 200, 0, 50, 0, 0]);
        let length = u8::try_from(record.len()).unwrap();
        record[11] = length;
        let [template] =
            <[FingerTemplate; 1]>::try_from(read_records(RecordFormat::Iso19794, &record).unwrap()).unwrap();
        let drawing = beside(&template, &template).unwrap();
        assert_eq!(drawing.matches("<circle").count(), 4);
        assert!(drawing.contains("viewBox=\"0 0 620 400\""), "{drawing}");
        assert!(drawing.contains("M50 60L50.0 49.0") && drawing.contains("M100 200L111.0 200.0"), "{drawing}");
    }
}
