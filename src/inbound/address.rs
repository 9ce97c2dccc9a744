//! Phone numbers as people and gateways write them, made one: E.164.

use phonenumber::country;

use crate::model::Address;

/// A text that is no phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number: write it as +17185550117")]
pub struct BadNumber;

/// A number in E.164. Without a country code it is one of `country` (two letters, ISO 3166).
///
/// # Errors
/// When it is no number that could exist.
pub fn phone(text: &str, country: &str) -> Result<Address, BadNumber> {
    let folded: String = text.trim().chars().map(ascii_digit).collect();
    let country: country::Id = country.parse().map_err(|_| BadNumber)?;
    let number = phonenumber::parse(Some(country), &folded).map_err(|_| BadNumber)?;
    // Ranges that are set aside for fiction are no valid numbers, but possible ones.
    if !(7..=15).contains(&number.national().value().to_string().len()) {
        return Err(BadNumber);
    }
    Ok(Address::new(number.format().mode(phonenumber::Mode::E164).to_string()))
}

/// Digits of any script as ASCII digits; other characters as they are.
fn ascii_digit(c: char) -> char {
    const ZEROS: [u32; 5] = [0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10];
    let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|d| *d < 10));
    digit.and_then(|d| char::from_digit(d, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_the_same_however_they_are_written() {
        for text in [
            "+17185550117",
            "(718) 555-0117",
            "718.555.0117",
            "1 718 555 0117",
            " +1 718 555-0117 ",
            "+١٧١٨٥٥٥٠١١٧",
            "７１８５５５０１１７",
        ] {
            assert_eq!(phone(text, "US").as_ref().map(Address::expose), Ok("+17185550117"), "{text}");
        }
        assert_eq!(phone("+48 22 555 01 17", "US").as_ref().map(Address::expose), Ok("+48225550117"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "12", "hello", "+1", "718-555-01171718555"] {
            assert_eq!(phone(text, "US"), Err(BadNumber), "{text}");
        }
    }
}
