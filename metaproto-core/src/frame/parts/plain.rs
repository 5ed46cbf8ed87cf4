//! What the derives can't do for shapes that only name a type: they would ask the same of it.

use std::fmt;

use super::{Block, ByTag, Nested, Nullable, Terminated};

macro_rules! plain {
    ($($shape:ident: $($field:ident)*;)*) => {$(
        impl<T> Clone for $shape<T> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $shape<T> {}

        impl<T> fmt::Debug for $shape<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shape = f.debug_struct(stringify!($shape));
                $(shape.field(stringify!($field), &self.$field);)*
                shape.finish()
            }
        }
    )*};
}

plain! {
    Block: extent;
    ByTag: tag;
    Nested:;
    Nullable: prefix;
    Terminated: end max;
}
