//! What is remembered of a record beside its data.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A few texts by name, such as who owns a record; sorted by name. One exact allocation
/// beside the texts: zones have hundreds of thousands of these, with two or three entries
/// each.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<[Label]>);

type Label = (Box<str>, Box<str>);

impl Labels {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.find(name).ok()?;
        Some(&self.0[at].1)
    }

    /// Whether there is a label of that name.
    #[must_use]
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Puts in a label, in place of one of the same name.
    pub fn insert(&mut self, name: Box<str>, value: Box<str>) {
        match self.find(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.change(|labels| labels.insert(at, (name, value))),
        }
    }

    /// Takes a label out; its value.
    pub fn remove(&mut self, name: &str) -> Option<Box<str>> {
        let at = self.find(name).ok()?;
        let mut value = None;
        self.change(|labels| value = Some(labels.remove(at).1));
        value
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.0 = Box::default();
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(held, _)| (**held).cmp(name))
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Label>)) {
        let mut labels = std::mem::take(&mut self.0).into_vec();
        change(&mut labels);
        self.0 = labels.into_boxed_slice();
    }
}

impl Extend<Label> for Labels {
    fn extend<I: IntoIterator<Item = Label>>(&mut self, labels: I) {
        for (name, value) in labels {
            self.insert(name, value);
        }
    }
}

impl FromIterator<Label> for Labels {
    /// Of several labels of one name, the last one counts.
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        let mut all = Self::new();
        all.extend(labels);
        all
    }
}

impl<const N: usize> From<[Label; N]> for Labels {
    fn from(labels: [Label; N]) -> Self {
        labels.into_iter().collect()
    }
}

impl IntoIterator for Labels {
    type Item = Label;
    type IntoIter = std::vec::IntoIter<Label>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// `null` is an empty text, as in Go.
impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LabelsVisitor;
        impl<'de> Visitor<'de> for LabelsVisitor {
            type Value = Labels;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Labels::new();
                while let Some((name, value)) = map.next_entry::<_, Option<_>>()? {
                    labels.insert(name, value.unwrap_or_default());
                }
                Ok(labels)
            }
        }
        deserializer.deserialize_map(LabelsVisitor)
    }
}
