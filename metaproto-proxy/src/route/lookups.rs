//! The properties of a request, each looked for once, however many routes ask for it.

use std::collections::HashMap;

use metaproto_core::{Metadata, PropertyValue};

use super::matcher::value;

/// How many properties are remembered. Most tables ask for one or two.
const MOST: usize = 4;

/// Numbers for the names of the properties that a table asks for.
#[derive(Debug, Default)]
pub(super) struct Numbers(HashMap<String, usize>);

impl Numbers {
    /// The number of a name, whose case does not matter.
    pub(super) fn of(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_ascii_lowercase()).or_insert(next)
    }
}

/// What has been found out of a request.
pub(super) struct Lookups<'a> {
    request: &'a Metadata,
    /// By number: nothing yet, or the value if there is one.
    found: [Option<Option<PropertyValue<'a>>>; MOST],
}

impl<'a> Lookups<'a> {
    pub(super) fn new(request: &'a Metadata) -> Self {
        Lookups { request, found: [None; MOST] }
    }

    /// The value of the property with this name and number.
    #[inline]
    pub(super) fn value(&mut self, number: usize, name: &str) -> Option<PropertyValue<'a>> {
        let request = self.request;
        match self.found.get_mut(number) {
            Some(found) => *found.get_or_insert_with(|| value(name, request)),
            None => value(name, request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_value_whether_it_is_remembered_or_not() {
        let names = ["a", "b", "absent", "c", "d", "e"];
        let mut request = Metadata::new();
        for (value, name) in names.into_iter().enumerate().filter(|(_, name)| *name != "absent") {
            request.push_int(name, value as u64);
        }
        let mut numbers = Numbers::default();
        let mut lookups = Lookups::new(&request);
        for _ in 0..2 {
            for name in names {
                let number = numbers.of(&name.to_ascii_uppercase());
                assert_eq!(number, numbers.of(name));
                assert_eq!(lookups.value(number, name), request.property(name), "{name}");
            }
        }
    }
}
