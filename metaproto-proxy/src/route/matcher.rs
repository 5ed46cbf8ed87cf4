//! Whether a condition holds of a request.

use metaproto_core::{IntText, Metadata, PropertyValue};

use crate::model::{Matcher, Predicate, Route};

impl Route {
    /// Whether all its conditions hold of `request`.
    #[must_use]
    pub fn matches(&self, request: &Metadata) -> bool {
        self.matchers.iter().all(|matcher| matcher.holds(request))
    }
}

impl Matcher {
    /// Whether it holds of `request`.
    #[must_use]
    pub fn holds(&self, request: &Metadata) -> bool {
        self.holds_of(value(&self.property, request))
    }

    /// Whether it holds where this is the value of its property.
    #[inline]
    pub(super) fn holds_of(&self, value: Option<PropertyValue<'_>>) -> bool {
        value.is_some_and(|value| predicate_holds(&self.predicate, value)) != self.invert
    }
}

/// The value of a property, or of the operation if the protocol has no property `operation`.
#[inline]
pub(super) fn value<'a>(property: &str, request: &'a Metadata) -> Option<PropertyValue<'a>> {
    match request.property(property) {
        None if property.eq_ignore_ascii_case("operation") => request.operation(),
        found => found,
    }
}

fn predicate_holds(predicate: &Predicate, value: PropertyValue<'_>) -> bool {
    let mut room = IntText::default();
    match predicate {
        Predicate::Exact(exact) => value.is_text(exact.as_bytes()),
        Predicate::Prefix(prefix) => value.as_bytes(&mut room).starts_with(prefix.as_bytes()),
        Predicate::Suffix(suffix) => value.as_bytes(&mut room).ends_with(suffix.as_bytes()),
        Predicate::Contains(part) => contains(value.as_bytes(&mut room), part.as_bytes()),
        Predicate::Regex(expression) => expression.is_match(value.as_bytes(&mut room)),
        Predicate::Range { start, end } => value
            .as_int()
            .is_some_and(|number| (i128::from(*start)..i128::from(*end)).contains(&number)),
        Predicate::Present => true,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn request() -> Metadata {
        let mut request = Metadata::new();
        request.frame = Bytes::from_static(b"shop.Cart");
        request.push_in_frame("Service", 0..9);
        request.push_int("cmd", -42);
        request.set_operation("Cart/add");
        request
    }

    fn check(property: &str, predicate: Predicate) -> bool {
        let matcher = Matcher { property: property.into(), predicate, invert: false };
        let inverted = Matcher { invert: true, ..matcher.clone() };
        let holds = matcher.holds(&request());
        assert_ne!(holds, inverted.holds(&request()), "{matcher:?}");
        holds
    }

    #[test]
    fn a_route_matches_when_all_its_conditions_hold() {
        let exact = |text: &str| Predicate::Exact(text.into());
        let route = Route::to("c").when("cmd", exact("-42"));
        assert!(Route::to("c").matches(&request()) && route.matches(&request()));
        assert!(!route.when("service", exact("other")).matches(&request()));
    }

    #[test]
    fn predicates_hold_of_text_and_of_the_text_of_numbers() {
        use Predicate::{Contains, Exact, Prefix, Present, Range, Suffix};
        let regex = |e: &str| Predicate::regex(e).unwrap();
        for (property, predicate, expected) in [
            ("service", Exact("shop.Cart".into()), true),
            ("SERVICE", Exact("shop.cart".into()), false),
            ("service", Exact("shop".into()), false),
            ("service", Prefix("shop.".into()), true),
            ("service", Prefix("Cart".into()), false),
            ("service", Suffix(".Cart".into()), true),
            ("service", Suffix("shop".into()), false),
            ("service", Contains("p.C".into()), true),
            ("service", Contains(String::new()), true),
            ("service", Contains("xyz".into()), false),
            ("service", regex("shop\\..*|other"), true),
            ("service", regex("shop"), false),
            ("service", Range { start: 0, end: 9 }, false),
            ("service", Present, true),
            ("cmd", Exact("-42".into()), true),
            ("cmd", Prefix("-4".into()), true),
            ("cmd", regex("-\\d+"), true),
            ("cmd", Range { start: -42, end: -41 }, true),
            ("cmd", Range { start: -41, end: 0 }, false),
            ("cmd", Range { start: -50, end: -42 }, false),
            ("operation", Suffix("/add".into()), true),
            ("absent", Present, false),
            ("absent", Exact(String::new()), false),
        ] {
            assert_eq!(check(property, predicate.clone()), expected, "{property} {predicate:?}");
        }
    }
}
