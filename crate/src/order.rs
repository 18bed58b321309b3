//! Sorting and ordered collections in little code.
//!
//! The standard library's stable sort is compiled anew for every type of item, several kilobytes
//! each, and so is the sort that `collect` into a `BTreeMap` or `BTreeSet` begins with. The engine
//! travels to a browser and what it sorts is short, so one sort of indices serves every type here.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Sorts by the items' own order. Stable.
pub(crate) fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts by a key that each comparison computes. Stable.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison. Stable.
pub(crate) fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = sorted(items.len(), &|a, b| {
        compare(&items[a], &items[b]) == Ordering::Greater
    });
    arrange(order, &mut |a, b| items.swap(a, b));
}

/// What `collect` gives, by insertion.
pub(crate) fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// What `collect` gives, by insertion.
pub(crate) fn set<K: Ord>(keys: impl IntoIterator<Item = K>) -> BTreeSet<K> {
    let mut set = BTreeSet::new();
    set.extend(keys);
    set
}

/// The indices below `len` in order, by merging runs of twice the length each time.
fn sorted(len: usize, greater: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut from: Vec<usize> = (0..len).collect();
    let mut to = from.clone();
    let mut run = 1;
    while run < len {
        for start in (0..len).step_by(2 * run) {
            let middle = (start + run).min(len);
            let end = (start + 2 * run).min(len);
            if middle == end || !greater(from[middle - 1], from[middle]) {
                to[start..end].copy_from_slice(&from[start..end]);
                continue;
            }
            let (mut left, mut right) = (start, middle);
            for slot in &mut to[start..end] {
                let next = if left == middle || (right < end && greater(from[left], from[right])) {
                    &mut right
                } else {
                    &mut left
                };
                *slot = from[*next];
                *next += 1;
            }
        }
        std::mem::swap(&mut from, &mut to);
        run *= 2;
    }
    from
}

/// Brings to each place the item that `order` names for it, cycle by cycle.
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut order[at], at);
            if from == start {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(
            mut items in prop::collection::vec((0_u8..20, any::<u8>()), 0..200),
        ) {
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            super::sort_by_key(&mut items, |item| item.0);
            prop_assert_eq!(&items, &expected);

            expected.sort();
            super::sort(&mut items);
            prop_assert_eq!(items, expected);
        }

        #[test]
        fn collects_as_the_standard_library_does(
            items in prop::collection::vec((0_u8..20, any::<u8>()), 0..60),
        ) {
            prop_assert_eq!(super::map(items.clone()), items.iter().copied().collect());
            prop_assert_eq!(super::set(items.clone()), items.into_iter().collect());
        }
    }
}
