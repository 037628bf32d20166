use super::*;

#[test]
fn a_name_weighs_the_same_however_many_addresses_it_has() {
    for (rows, weights) in [
        (&[(1, 3)][..], &[1][..]),
        (&[(7, 4)], &[1]),
        (&[(1, 1), (1, 1)], &[1, 1]),
        (&[(90, 1), (10, 9)], &[81, 1]),
        (&[(1, 2), (1, 3)], &[3, 2]),
        (&[(0, 2), (5, 1)], &[0, 1]),
        (&[(0, 2)], &[0]),
        (&[], &[]),
        (&[(u32::MAX, 1), (1, 256)], &[u32::MAX, 1]),
    ] {
        assert_eq!(shared_out(rows), weights, "{rows:?}");
    }
}
