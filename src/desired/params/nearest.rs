/// The word among several that was probably intended: it takes few changes, and no other takes fewer.
pub(in crate::desired) fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let length = word.chars().count();
    // A short word allows few changes.
    let most = (length / 3).clamp(1, 4);
    let near = words.into_iter().filter(|other| other.chars().count().abs_diff(length) <= most);
    let near = near.map(|other| (strsim::osa_distance(word, other), other)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}
