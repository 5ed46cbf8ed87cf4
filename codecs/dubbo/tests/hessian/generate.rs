//! Values, and all the ways to write them. Written from the grammar, apart from the reader.

use proptest::prelude::*;

/// A value of Hessian 2.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Int(i32),
    Long(i64),
    Double(f64),
    /// Milliseconds.
    Date(i64),
    Text(String),
    Binary(Vec<u8>),
    List {
        of: Option<u8>,
        items: Vec<Tree>,
    },
    Map {
        of: Option<u8>,
        entries: Vec<(Tree, Tree)>,
    },
    /// An object of one of a few classes, which have as many fields as their number says.
    Object {
        class: u8,
        values: Vec<Tree>,
    },
    Reference(u16),
}

/// Any value, nested a few levels deep.
pub(crate) fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        numbers().prop_map(|number| Tree::Int(number as i32)),
        numbers().prop_map(Tree::Long),
        prop_oneof![Just(0.0), Just(1.0), Just(-1.5), Just(128.0), any::<f64>()]
            .prop_map(Tree::Double),
        numbers().prop_map(Tree::Date),
        texts().prop_map(Tree::Text),
        proptest::collection::vec(any::<u8>(), 0..1500).prop_map(Tree::Binary),
        any::<u16>().prop_map(Tree::Reference),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let items = proptest::collection::vec(inner.clone(), 0..9);
        let entries = proptest::collection::vec((inner.clone(), inner.clone()), 0..5);
        let of = proptest::option::of(0_u8..4);
        prop_oneof![
            (of.clone(), items).prop_map(|(of, items)| Tree::List { of, items }),
            (of, entries).prop_map(|(of, entries)| Tree::Map { of, entries }),
            (0_u8..20, proptest::collection::vec(inner, 20))
                .prop_map(|(class, values)| Tree::Object { class, values }),
        ]
    })
}

/// Numbers of all sizes, those at the edges of a form among them.
fn numbers() -> impl Strategy<Value = i64> {
    let edges = [
        -16,
        -17,
        47,
        48,
        -8,
        -9,
        15,
        16,
        2047,
        2048,
        -2048,
        -2049,
        262_143,
        262_144,
        -262_144,
        -262_145,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        i64::MAX,
        i64::MIN,
        0,
        60_000,
    ];
    prop_oneof![proptest::sample::select(edges.to_vec()), any::<i64>(), -70_000..70_000_i64]
}

/// Texts with characters of one to four bytes.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let few = proptest::collection::vec(any::<char>(), 0..40);
    let ascii = "[ -~]{0,40}";
    let long = (any::<char>(), 0_usize..1100).prop_map(|(c, n)| c.to_string().repeat(n));
    prop_oneof![
        3 => ascii.prop_map(String::from),
        2 => few.prop_map(|all| all.into_iter().collect()),
        1 => long,
    ]
}

/// Writes values, each time in one of the forms that it can have; `choices` decide.
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    choices: Vec<u8>,
    next: usize,
    /// The classes that have been defined, in order.
    classes: Vec<u8>,
    /// How many types have been named.
    types: u32,
}

impl Writer {
    pub(crate) fn new(choices: Vec<u8>) -> Self {
        Writer { out: Vec::new(), choices, next: 0, classes: Vec::new(), types: 0 }
    }

    /// One of `among` ways.
    fn choice(&mut self, among: usize) -> usize {
        self.next += 1;
        let choice = self.choices.get(self.next % self.choices.len().max(1)).copied();
        usize::from(choice.unwrap_or_default()) % among
    }

    pub(crate) fn write(&mut self, tree: &Tree) {
        // A class may be defined in front of any value, whether it is used or not.
        if self.classes.len() < 40 && self.choice(40) == 0 {
            let class = self.choice(20) as u8;
            self.define(class);
        }
        match tree {
            Tree::Null => self.out.push(b'N'),
            Tree::Bool(value) => self.out.push(if *value { b'T' } else { b'F' }),
            Tree::Int(number) => self.int(*number),
            Tree::Long(number) => self.long(*number),
            Tree::Double(number) => self.double(*number),
            Tree::Date(time) => self.date(*time),
            Tree::Text(text) => self.text(text),
            Tree::Binary(bytes) => self.binary(bytes),
            Tree::List { of, items } => self.list(*of, items),
            Tree::Map { of, entries } => self.map(*of, entries),
            Tree::Object { class, values } => self.object(*class, values),
            Tree::Reference(number) => {
                self.out.push(0x51);
                self.int(i32::from(*number));
            }
        }
    }

    pub(crate) fn int(&mut self, number: i32) {
        let form = self.choice(4);
        match number {
            -16..=47 if form == 0 => self.out.push((number + 0x90) as u8),
            -2048..=2047 if form <= 1 => {
                self.out.extend([((number >> 8) + 0xc8) as u8, number as u8]);
            }
            -262_144..=262_143 if form <= 2 => {
                let high = ((number >> 16) + 0xd4) as u8;
                self.out.extend([high, (number >> 8) as u8, number as u8]);
            }
            _ => {
                self.out.push(b'I');
                self.out.extend(number.to_be_bytes());
            }
        }
    }

    fn long(&mut self, number: i64) {
        let form = self.choice(5);
        match number {
            -8..=15 if form == 0 => self.out.push((number + 0xe0) as u8),
            -2048..=2047 if form <= 1 => {
                self.out.extend([((number >> 8) + 0xf8) as u8, number as u8]);
            }
            -262_144..=262_143 if form <= 2 => {
                let high = ((number >> 16) + 0x3c) as u8;
                self.out.extend([high, (number >> 8) as u8, number as u8]);
            }
            _ if form <= 3 && i32::try_from(number).is_ok() => {
                self.out.push(0x59);
                self.out.extend((number as i32).to_be_bytes());
            }
            _ => {
                self.out.push(b'L');
                self.out.extend(number.to_be_bytes());
            }
        }
    }

    fn double(&mut self, number: f64) {
        let form = self.choice(5);
        if form == 0 && (number == 0.0 || number == 1.0) {
            self.out.push(if number == 0.0 { 0x5b } else { 0x5c });
        } else if form <= 1 && f64::from(number as i8) == number {
            self.out.extend([0x5d, number as i8 as u8]);
        } else if form <= 2 && f64::from(number as i16) == number {
            self.out.push(0x5e);
            self.out.extend((number as i16).to_be_bytes());
        } else if form <= 3 && number.abs() < 1e6 {
            self.out.push(0x5f);
            self.out.extend(((number * 1000.0) as i32).to_be_bytes());
        } else {
            self.out.push(b'D');
            self.out.extend(number.to_be_bytes());
        }
    }

    fn date(&mut self, time: i64) {
        match i32::try_from(time / 60_000) {
            Ok(minutes) if time % 60_000 == 0 && self.choice(2) == 0 => {
                self.out.push(0x4b);
                self.out.extend(minutes.to_be_bytes());
            }
            _ => {
                self.out.push(0x4a);
                self.out.extend(time.to_be_bytes());
            }
        }
    }

    /// A string, perhaps in chunks, whose surrogates are coded in one of two ways.
    pub(crate) fn text(&mut self, text: &str) {
        let mut chunk = Vec::new();
        let mut units = 0;
        for character in text.chars() {
            if self.choice(30) == 0 || units > 60_000 {
                self.out.push(b'R');
                self.out.extend((units as u16).to_be_bytes());
                self.out.append(&mut chunk);
                units = 0;
            }
            units += character.len_utf16();
            match character.len_utf16() {
                2 if self.choice(2) == 0 => cesu(character, &mut chunk),
                _ => chunk.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        let form = self.choice(3);
        match units {
            0..=31 if form == 0 => self.out.push(units as u8),
            0..=1023 if form <= 1 => self.out.extend([0x30 + (units >> 8) as u8, units as u8]),
            _ => {
                self.out.push(b'S');
                self.out.extend((units as u16).to_be_bytes());
            }
        }
        self.out.append(&mut chunk);
    }

    fn binary(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.choice(4) == 0 {
            let (chunk, left) = rest.split_at(rest.len().min(1 + self.choice(200)));
            self.out.push(b'A');
            self.out.extend((chunk.len() as u16).to_be_bytes());
            self.out.extend(chunk);
            rest = left;
        }
        let form = self.choice(3);
        match rest.len() {
            size @ 0..=15 if form == 0 => self.out.push(0x20 + size as u8),
            size @ 0..=1023 if form <= 1 => {
                self.out.extend([0x34 + (size >> 8) as u8, size as u8]);
            }
            size => {
                self.out.push(b'B');
                self.out.extend((size as u16).to_be_bytes());
            }
        }
        self.out.extend(rest);
    }

    /// The name of a type, or the number of one.
    fn type_name(&mut self, of: u8) {
        if self.types > 0 && self.choice(2) == 0 {
            let number = self.choice(self.types as usize);
            return self.int(number as i32);
        }
        self.types += 1;
        self.text(&format!("org.example.Type{of}"));
    }

    fn list(&mut self, of: Option<u8>, items: &[Tree]) {
        let count = items.len();
        let form = self.choice(3);
        let short = count <= 7 && form == 0;
        let is_fixed = short || form == 1;
        let code = match (of.is_some(), short, is_fixed) {
            (true, true, _) => 0x70 + count as u8,
            (false, true, _) => 0x78 + count as u8,
            (true, false, true) => 0x56,
            (false, false, true) => 0x58,
            (true, false, false) => 0x55,
            (false, false, false) => 0x57,
        };
        self.out.push(code);
        if let Some(of) = of {
            self.type_name(of);
        }
        if is_fixed && !short {
            self.int(count as i32);
        }
        items.iter().for_each(|item| self.write(item));
        if !is_fixed {
            self.out.push(b'Z');
        }
    }

    fn map(&mut self, of: Option<u8>, entries: &[(Tree, Tree)]) {
        match of {
            Some(of) => {
                self.out.push(b'M');
                self.type_name(of);
            }
            None => self.out.push(b'H'),
        }
        for (key, value) in entries {
            self.write(key);
            self.write(value);
        }
        self.out.push(b'Z');
    }

    fn define(&mut self, class: u8) {
        self.out.push(b'C');
        self.text(&format!("org.example.Class{class}"));
        self.int(i32::from(class));
        (0..class).for_each(|field| self.text(&format!("field{field}")));
        self.classes.push(class);
    }

    fn object(&mut self, class: u8, values: &[Tree]) {
        let known = self.classes.iter().position(|known| *known == class);
        let number = known.unwrap_or_else(|| {
            self.define(class);
            self.classes.len() - 1
        });
        match number {
            0..=15 if self.choice(2) == 0 => self.out.push(0x60 + number as u8),
            _ => {
                self.out.push(b'O');
                self.int(number as i32);
            }
        }
        values.iter().take(usize::from(class)).for_each(|value| self.write(value));
    }
}

/// A character beyond the BMP as two surrogates of three bytes each.
fn cesu(character: char, out: &mut Vec<u8>) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        let unit = u32::from(*unit);
        let bytes = [0xe0 | unit >> 12, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f];
        out.extend(bytes.map(|byte| byte as u8));
    }
}
