//! The trained model: for each bucket one small weight per question that is asked of a reply.
//!
//! Invariant: bytes that are not a whole model of this format are refused; a model that is read can judge any features.

use super::features::{BUCKETS, Feature};

/// How many questions are asked of a reply: three of severity, then one per [`super::KINDS`].
pub const HEADS: usize = 3 + super::KINDS.len();

const MAGIC: &[u8; 8] = b"PLREAD01";
const HEADER: usize = MAGIC.len() + 4 + 4 * (2 * HEADS + LIMITS);
const LIMITS: usize = 4;

/// From which scores on the reader raises a reply, and below which it finds nothing at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// From here on a reply is at least routine.
    pub routine: f32,
    /// From here on (in the score for urgent) it is at least urgent.
    pub urgent: f32,
    /// From here on (in the score for emergency) an urgent reply is an emergency.
    pub emergency: f32,
    /// Below this score for urgent, a soft rule is taken for a figure of speech.
    pub harmless: f32,
}

/// A model, as it stands in its file.
#[derive(Clone)]
pub struct Model {
    bytes: std::borrow::Cow<'static, [u8]>,
    version: u32,
    scales: [f32; HEADS],
    biases: [f32; HEADS],
    limits: Limits,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("version", &self.version).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: std::borrow::Cow<'static, [u8]>) -> Result<Model, String> {
        if !bytes.starts_with(MAGIC) || bytes.len() != HEADER + BUCKETS * HEADS {
            return Err("this is no model of this version's format: train it anew with `porchlight triage train`".to_owned());
        }
        let word = |at: usize| {
            let mut four = [0; 4];
            four.copy_from_slice(&bytes[MAGIC.len() + 4 * at..MAGIC.len() + 4 * at + 4]);
            four
        };
        let number = |at: usize| f32::from_le_bytes(word(at));
        let version = u32::from_le_bytes(word(0));
        let limits = Limits { routine: number(1), urgent: number(2), emergency: number(3), harmless: number(4) };
        let scales = std::array::from_fn(|head| number(1 + LIMITS + head));
        let biases = std::array::from_fn(|head| number(1 + LIMITS + HEADS + head));
        Ok(Model { bytes, version, scales, biases, limits })
    }

    /// A model of trained weights (per head: one per bucket, then the bias), made as small as it is kept.
    #[must_use]
    pub fn of(version: u32, limits: Limits, weights: &[Vec<f32>]) -> Model {
        let mut bytes = vec![0; HEADER + BUCKETS * HEADS];
        let mut scales = [0.0; HEADS];
        let mut biases = [0.0; HEADS];
        for (head, own) in weights.iter().enumerate() {
            let largest = own[..BUCKETS].iter().fold(0.0_f32, |most, w| most.max(w.abs()));
            scales[head] = (largest / 127.0).max(f32::MIN_POSITIVE);
            biases[head] = own[BUCKETS];
            for (bucket, weight) in own[..BUCKETS].iter().enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127 by the choice of the scale")]
                let small = (weight / scales[head]).round() as i8;
                bytes[HEADER + bucket * HEADS + head] = small.to_le_bytes()[0];
            }
        }
        let mut model = Model { bytes: Vec::new().into(), version, scales, biases, limits };
        let head = model.header();
        bytes[..HEADER].copy_from_slice(&head);
        model.bytes = bytes.into();
        model
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Rises with every training that is kept.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Its limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The same weights with other limits.
    #[must_use]
    pub fn with(mut self, limits: Limits) -> Model {
        self.limits = limits;
        let head = self.header();
        self.bytes.to_mut()[..HEADER].copy_from_slice(&head);
        self
    }

    /// The score of each question: above 0 is rather yes than no.
    #[must_use]
    pub fn scores(&self, features: &[Feature]) -> [f32; HEADS] {
        let mut sums = [0.0; HEADS];
        for feature in features {
            for (sum, weight) in sums.iter_mut().zip(self.weights(feature.bucket)) {
                *sum += weight * feature.value;
            }
        }
        std::array::from_fn(|head| sums[head] * self.scales[head] + self.biases[head])
    }

    fn weights(&self, bucket: u32) -> impl Iterator<Item = f32> + '_ {
        let from = HEADER + bucket as usize * HEADS;
        self.bytes[from..from + HEADS].iter().map(|byte| f32::from(i8::from_le_bytes([*byte])))
    }

    fn header(&self) -> Vec<u8> {
        let Limits { routine, urgent, emergency, harmless } = self.limits;
        let mut head = MAGIC.to_vec();
        head.extend(self.version.to_le_bytes());
        for number in [routine, urgent, emergency, harmless].iter().chain(&self.scales).chain(&self.biases) {
            head.extend(number.to_le_bytes());
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_survives_its_file_and_half_a_file_is_refused() {
        let limits = Limits { routine: 0.1, urgent: 0.2, emergency: 0.3, harmless: -0.4 };
        let mut weights = vec![vec![0.0; BUCKETS + 1]; HEADS];
        weights[1][7] = 2.54;
        weights[1][8] = -1.0;
        weights[1][BUCKETS] = -0.5;
        let model = Model::of(3, limits, &weights);
        let again = Model::read(model.bytes().to_vec().into()).expect("a model");
        assert_eq!((again.version(), again.limits()), (3, limits));
        let score = again.scores(&[Feature { bucket: 7, value: 1.0 }, Feature { bucket: 8, value: 0.5 }])[1];
        assert!((score - (2.54 - 0.5 - 0.5)).abs() < 0.02, "{score}");
        assert!(Model::read(model.bytes()[1..].to_vec().into()).is_err());
        assert!(Model::read(model.bytes()[..900].to_vec().into()).is_err());
    }
}
