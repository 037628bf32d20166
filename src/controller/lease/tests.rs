use super::*;

fn lease(version: &str, holder: &str) -> Lease {
    Lease {
        metadata: ObjectMeta {
            resource_version: Some(version.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(10),
            ..LeaseSpec::default()
        }),
    }
}

#[test]
fn another_s_lease_is_taken_when_it_has_not_changed_for_its_time() {
    let mut view = View::new("me");
    let start = clock::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(view.next(Some(&lease("1", "other")), start), Move::Wait);
    assert_eq!(view.next(Some(&lease("1", "other")), after(9)), Move::Wait);
    assert_eq!(view.next(Some(&lease("2", "other")), after(10)), Move::Wait, "it was renewed");
    assert_eq!(view.next(Some(&lease("2", "other")), after(20)), Move::Take);
}

#[test]
fn a_lease_of_nobody_is_taken_and_one_s_own_renewed() {
    let mut view = View::new("me");
    let now = clock::now();
    assert_eq!(view.next(None, now), Move::Create);
    assert_eq!(view.next(Some(&lease("1", "")), now), Move::Take);
    assert_eq!(view.next(Some(&lease("2", "me")), now), Move::Renew);
}
