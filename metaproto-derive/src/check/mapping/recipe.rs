//! What makes a condition the first that holds.
//!
//! A condition that is a conjunction of flags and comparisons says itself how it is made true. The
//! conditions in front of it must not hold: each is made false by what has been set already, or by
//! the only thing in it that is still open.

use proc_macro2::Span;
use quote::quote;
use syn::ext::IdentExt;
use syn::{BinOp, Expr, ExprBinary, ExprPath, ExprUnary, Ident, UnOp};

use super::put::truth;
use super::view::{View, What};
use crate::meaning::{Differ, Put, Target};
use crate::parse::{Assign, KindArm, literal};

/// What makes a message one of a kind.
pub(super) struct Recipe {
    pub(super) puts: Vec<Put>,
    /// Constants that must not be the same.
    pub(super) differ: Vec<Differ>,
}

/// Why nothing makes it.
pub(super) struct Wrong {
    /// Where, if not at the kind.
    pub(super) span: Option<Span>,
    pub(super) text: String,
    /// Whether it is wrong even if nobody writes such messages.
    pub(super) certain: bool,
}

/// Something that a condition asks for.
#[derive(Clone)]
struct Atom {
    name: String,
    target: Target,
    is: Value,
}

#[derive(Clone)]
enum Value {
    Flag(bool),
    Number(Box<Expr>),
}

/// The conditions in order; those that are no conjunctions are `None`.
pub(super) struct Recipes {
    arms: Vec<Arm>,
}

/// A condition, and the kind that it tells.
type Arm = (Option<Vec<Atom>>, Ident);

/// What has been set so far.
struct Settled {
    atoms: Vec<Atom>,
    differ: Vec<Differ>,
}

impl Recipes {
    pub(super) fn new(view: &View<'_>, arms: &[KindArm]) -> Self {
        let arms = arms.iter().map(|(condition, kind)| {
            let atoms = match condition {
                Expr::Infer(_) => Some(Vec::new()),
                other => atoms(view, other),
            };
            (atoms, kind.clone())
        });
        Recipes { arms: arms.collect() }
    }

    fn position(&self, kind: &Ident) -> usize {
        self.arms.iter().position(|(_, of)| of == kind).unwrap_or(0)
    }

    /// Derives what makes a kind from the first condition that tells it.
    pub(super) fn derive(&self, kind: &Ident) -> Result<Recipe, Wrong> {
        let place = self.position(kind);
        let Some(Some(own)) = self.arms.get(place).map(|(atoms, _)| atoms) else {
            return Err(unknown(kind, "its condition is more than flags and comparisons"));
        };
        let mut settled = Settled { atoms: own.clone(), differ: Vec::new() };
        let mut open: Vec<_> = self.arms[..place].iter().collect();
        loop {
            let before = (settled.atoms.len(), open.len());
            let mut left = Vec::new();
            for arm @ (atoms, earlier) in open {
                let Some(atoms) = atoms else {
                    let text = format!(
                        "a condition in front of it, of `{earlier}`, is more than \
                                        flags and comparisons"
                    );
                    return Err(unknown(kind, &text));
                };
                if !settled.refute(atoms, kind, earlier)? {
                    left.push(arm);
                }
            }
            if left.is_empty() {
                return Ok(settled.into_recipe());
            }
            if (settled.atoms.len(), left.len()) == before {
                let first = left.first().map_or(String::new(), |(_, of)| of.to_string());
                let text = format!("several things would keep it from being a `{first}`");
                return Err(unknown(kind, &text));
            }
            open = left;
        }
    }

    /// Checks that what the user says makes a kind makes it indeed, as far as can be told here.
    /// Returns constants that must not be the same.
    pub(super) fn told(&self, kind: &Ident, fields: &[Assign]) -> Result<Vec<Differ>, Wrong> {
        let atoms = fields.iter().map(|assign| Atom {
            name: assign.name.unraw().to_string(),
            target: Target::Head(0),
            is: match truth(&assign.value) {
                Some(flag) => Value::Flag(flag),
                None => Value::Number(Box::new(assign.value.clone())),
            },
        });
        let mut settled = Settled { atoms: atoms.collect(), differ: Vec::new() };
        for (atoms, of) in &self.arms {
            // What is more than a conjunction is found out when such a message is written.
            let Some(atoms) = atoms else { return Ok(settled.differ) };
            let open: Vec<_> = atoms.iter().filter(|a| settled.holds(a).is_none()).collect();
            let refuted = atoms.iter().any(|atom| settled.holds(atom) == Some(false));
            if refuted {
                settled.note_differences(atoms);
                continue;
            }
            let text = match (open.first(), of == kind) {
                (None, true) => return Ok(settled.differ),
                (None, false) => format!("with this a message is a `{of}`"),
                (Some(atom), true) => format!(
                    "with this a message is a `{kind}` only if `{}` is \
                                               right as well: say what it is",
                    atom.name
                ),
                (Some(atom), false) => format!(
                    "with this a message can still be a `{of}`: say \
                                                what `{}` is as well",
                    atom.name
                ),
            };
            let span = fields.first().map(|assign| assign.name.span());
            return Err(Wrong { span, text, certain: true });
        }
        Err(unknown(kind, "no condition holds then"))
    }
}

fn unknown(kind: &Ident, why: &str) -> Wrong {
    let text = format!(
        "what makes a message a `{kind}` can't be told: {why}. Say it on the struct: \
         `#[meta(make({kind}(flag = true)))]`"
    );
    Wrong { span: None, text, certain: false }
}

impl Settled {
    /// Whether the atom holds, if that is settled. Constants of different names are taken to be
    /// different; the compiler checks that.
    fn holds(&self, atom: &Atom) -> Option<bool> {
        let settled = self.atoms.iter().find(|settled| settled.name == atom.name)?;
        match (&settled.is, &atom.is) {
            (Value::Flag(is), Value::Flag(asked)) => Some(is == asked),
            (Value::Number(is), Value::Number(asked)) => Some(same(is, asked)),
            _ => None,
        }
    }

    /// Sees to it that a condition does not hold. Whether that is so now; if not, more has to be
    /// settled first.
    fn refute(&mut self, atoms: &[Atom], kind: &Ident, earlier: &Ident) -> Result<bool, Wrong> {
        if atoms.iter().any(|atom| self.holds(atom) == Some(false)) {
            self.note_differences(atoms);
            return Ok(true);
        }
        let open: Vec<_> = atoms.iter().filter(|atom| self.holds(atom).is_none()).collect();
        match open[..] {
            [] => {
                let text = format!(
                    "this never matches: what is a `{kind}` here is a `{earlier}` \
                                    already"
                );
                Err(Wrong { span: None, text, certain: true })
            }
            [atom] => match atom.is {
                Value::Flag(is) => {
                    self.atoms.push(Atom { is: Value::Flag(!is), ..atom.clone() });
                    Ok(true)
                }
                Value::Number(_) => {
                    let text = format!("`{}` could have any other value", atom.name);
                    Err(unknown(kind, &text))
                }
            },
            _ => Ok(false),
        }
    }

    fn note_differences(&mut self, atoms: &[Atom]) {
        for atom in atoms {
            let settled = self.atoms.iter().find(|settled| settled.name == atom.name);
            if let (Some(Value::Number(is)), Value::Number(asked)) =
                (settled.map(|settled| &settled.is), &atom.is)
                && !same(is, asked)
                && (literal(is).is_none() || literal(asked).is_none())
            {
                self.differ.push((is.as_ref().clone(), asked.as_ref().clone()));
            }
        }
    }

    fn into_recipe(self) -> Recipe {
        let puts = self.atoms.into_iter().map(|atom| Put {
            target: atom.target,
            value: match atom.is {
                Value::Flag(true) => syn::parse_quote!(true),
                Value::Flag(false) => syn::parse_quote!(false),
                Value::Number(value) => *value,
            },
        });
        Recipe { puts: puts.collect(), differ: self.differ }
    }
}

/// Whether two numbers are the same, as far as can be told here.
fn same(a: &Expr, b: &Expr) -> bool {
    match (literal(a), literal(b)) {
        (Some(a), Some(b)) => a == b,
        _ => quote!(#a).to_string() == quote!(#b).to_string(),
    }
}

/// The flags and comparisons that a condition is a conjunction of.
fn atoms(view: &View<'_>, condition: &Expr) -> Option<Vec<Atom>> {
    match condition {
        Expr::Group(group) => atoms(view, &group.expr),
        Expr::Paren(paren) => atoms(view, &paren.expr),
        Expr::Binary(ExprBinary { left, op: BinOp::And(_), right, .. }) => {
            let mut all = atoms(view, left)?;
            for atom in atoms(view, right)? {
                let twice = all.iter().any(|earlier| earlier.name == atom.name);
                if twice {
                    return None;
                }
                all.push(atom);
            }
            Some(all)
        }
        Expr::Binary(ExprBinary { left, op: BinOp::Eq(_), right, .. }) => {
            comparison(view, left, right).or_else(|| comparison(view, right, left)).map(|a| vec![a])
        }
        Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => {
            let atom = flag(view, expr)?;
            let Value::Flag(is) = atom.is else { return None };
            Some(vec![Atom { is: Value::Flag(!is), ..atom }])
        }
        other => flag(view, other).map(|atom| vec![atom]),
    }
}

fn flag(view: &View<'_>, expr: &Expr) -> Option<Atom> {
    match expr {
        Expr::Group(group) => flag(view, &group.expr),
        Expr::Paren(paren) => flag(view, &paren.expr),
        Expr::Unary(ExprUnary { op: UnOp::Not(_), expr, .. }) => {
            let atom = flag(view, expr)?;
            let Value::Flag(is) = atom.is else { return None };
            Some(Atom { is: Value::Flag(!is), ..atom })
        }
        Expr::Path(path) => {
            let name = name_of(path)?;
            let found = view.named(&name)?;
            let target = found.target.filter(|_| found.what == What::Flag)?;
            Some(Atom { name, target, is: Value::Flag(true) })
        }
        _ => None,
    }
}

fn comparison(view: &View<'_>, of: &Expr, with: &Expr) -> Option<Atom> {
    let Expr::Path(path) = of else { return None };
    let name = name_of(path)?;
    let found = view.named(&name)?;
    let is = match found.what {
        What::Int(_) | What::Bits(..) if is_constant(view, with) => {
            Value::Number(Box::new(with.clone()))
        }
        What::Flag => Value::Flag(truth(with)?),
        _ => return None,
    };
    Some(Atom { name, target: found.target?, is })
}

/// A number, or a name that is not a field's.
fn is_constant(view: &View<'_>, value: &Expr) -> bool {
    let is_field = |path: &ExprPath| name_of(path).is_some_and(|name| view.named(&name).is_some());
    match value {
        Expr::Path(path) => !is_field(path),
        other => literal(other).is_some(),
    }
}

fn name_of(path: &ExprPath) -> Option<String> {
    Some(path.path.get_ident()?.unraw().to_string())
}
