//! A process that dies between any two steps of a change: at each, everything is as it was or as
//! it was to be, and whoever comes next finds no half of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Ends a change at its nth step; `false` when it has fewer.
fn killed_at(nth: usize, change: impl FnOnce()) -> bool {
    let mut left = nth;
    on_steps(move |_| {
        left -= 1;
        assert!(left > 0, "killed here");
    });
    // Unwinding runs nothing but the end of the lock, which a kernel does too.
    let died = catch_unwind(AssertUnwindSafe(change)).is_err();
    HOOK.set(None);
    died
}

#[test]
fn a_change_of_two_files_is_whole_or_not_there() {
    let (mut happened, mut nothing, mut nth) = (0, 0, 1);
    let cart = cart();
    loop {
        let fixture = Fixture::new();
        let directory = fixture.directory();
        let changes = [shift("shop", BEFORE, AFTER), shift("cart", BEFORE, AFTER)];
        let died = killed_at(nth, || {
            directory.patch(&changes, Mode::Apply).unwrap();
        });
        let files = || [fixture.text("shop.yaml"), fixture.text("sub/cart.yml")];
        for (now, before) in files().iter().zip([SHOP, &cart]) {
            assert!(*now == before || *now == shifted(before), "{nth}: {now}");
        }
        // Whoever comes next.
        directory.restore(&[]).unwrap();
        fixture.assert_tidy();
        match files() {
            [shop, cart_now] if shop == SHOP && cart_now == cart => nothing += 1,
            [shop, cart_now] if shop == shifted(SHOP) && cart_now == shifted(&cart) => {
                happened += 1
            }
            torn => panic!("{nth}: {torn:?}"),
        }
        if !died {
            break;
        }
        nth += 1;
    }
    assert!(nothing > 5 && happened > 1, "{nothing} {happened}");
}

/// Clearing up may be cut short too, and again.
#[test]
fn clearing_up_is_whole_or_not_there() {
    for first in 5..14 {
        let mut nth = 1;
        loop {
            let fixture = Fixture::new();
            let directory = fixture.directory();
            let changes = [shift("shop", BEFORE, AFTER), shift("cart", BEFORE, AFTER)];
            killed_at(first, || {
                directory.patch(&changes, Mode::Apply).unwrap();
            });
            let died = killed_at(nth, || directory.restore(&[]).unwrap());
            directory.restore(&[]).unwrap();
            fixture.assert_tidy();
            let whole = [SHOP.to_owned(), cart()];
            let now = [fixture.text("shop.yaml"), fixture.text("sub/cart.yml")];
            assert!(
                now == whole || now == whole.map(|text| shifted(&text)),
                "{first} {nth}: {now:?}"
            );
            if !died {
                break;
            }
            nth += 1;
        }
    }
}

/// The worst moment: an editor's file has come out in the exchange, and nobody has looked.
#[test]
fn an_editors_file_comes_back() {
    let fixture = Fixture::new();
    let saved = SHOP.replace("# main", "# edited by hand");
    let (path, text) = (fixture.path("shop.yaml"), saved.clone());
    on_steps(move |step| match step {
        "exchange" => fs::write(&path, &text).unwrap(),
        "compare" => panic!("killed here"),
        _ => {}
    });
    let directory = fixture.directory();
    let change = || directory.patch(&[shift("shop", BEFORE, AFTER)], Mode::Apply);
    assert!(catch_unwind(AssertUnwindSafe(change)).is_err());
    HOOK.set(None);
    assert_eq!(fixture.text("shop.yaml"), shifted(SHOP));
    directory.restore(&[]).unwrap();
    assert_eq!(fixture.text("shop.yaml"), saved);
    fixture.assert_tidy();
}

#[test]
fn what_is_made_or_removed_is_whole_too() {
    for nth in 1..8 {
        let fixture = Fixture::new();
        let directory = fixture.directory();
        let path = fixture.path("new.yaml");
        killed_at(nth, || {
            directory.create(&json!({"kind": "x"}), &path).unwrap();
        });
        killed_at(nth, || {
            directory.delete(&route("shop")).unwrap();
        });
        directory.restore(&[]).unwrap();
        fixture.assert_tidy();
        assert!(!path.exists() || fixture.text("new.yaml") == "kind: x\n");
        assert!(!fixture.path("shop.yaml").exists() || fixture.text("shop.yaml") == SHOP);
    }
}
