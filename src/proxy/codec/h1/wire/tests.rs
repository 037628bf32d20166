use super::*;

/// What a socket would see that takes `step` bytes at a time.
fn drained(output: &mut Output, step: usize) -> Vec<u8> {
    let mut seen = Vec::new();
    while !output.is_empty() {
        let mut slices = [IoSlice::new(&[]); 3];
        let count = output.slices(&mut slices);
        let all: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.to_vec()).collect();
        let wrote = step.min(all.len());
        seen.extend_from_slice(&all[..wrote]);
        output.advance(wrote);
    }
    seen
}

#[test]
fn whatever_a_socket_takes_the_order_is_kept() {
    let large: Vec<u8> = (0..COPY_BYTES + 100).map(|i| b'a' + (i % 26) as u8).collect();
    let expected = [b"head", &large[..], b"mark", b"next"].concat();
    for step in [1, 3, 4, 5, 1_000, COPY_BYTES + 103, COPY_BYTES + 104, 100_000] {
        let mut output = Output::default();
        output.buffer().extend_from_slice(b"head");
        output.push(Bytes::from(large.clone()));
        assert!(!output.has_room());
        output.buffer().extend_from_slice(b"mark");
        let mut seen = drained(&mut output, step);
        assert!(output.has_room());
        output.buffer().extend_from_slice(b"next");
        seen.extend(drained(&mut output, step));
        assert_eq!(seen, expected, "in steps of {step}");
    }
}

#[test]
fn small_data_shares_the_buffer_with_its_head() {
    let mut output = Output::default();
    output.buffer().extend_from_slice(b"head ");
    output.push(Bytes::from_static(b"data"));
    let mut slices = [IoSlice::new(&[]); 3];
    assert_eq!(output.slices(&mut slices), 1);
    assert_eq!(&*slices[0], b"head data");
}

#[test]
fn only_what_has_left_is_shed() {
    let held = |output: &Output| output.buffer.capacity() + output.after.capacity();
    let mut output = Output::default();
    output.buffer().extend_from_slice(&[b'x'; 20_000]);
    output.shed();
    assert_eq!(drained(&mut output, 999).len(), 20_000);
    assert!(held(&output) >= 20_000);
    output.shed();
    assert_eq!(held(&output), 0);
    output.buffer().extend_from_slice(b"next");
    assert_eq!(drained(&mut output, 1), b"next");
    // What an ordinary head takes is kept.
    output.shed();
    assert!(held(&output) > 0);
}
