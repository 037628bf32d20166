use super::*;

#[test]
fn settings_stay_and_the_image_follows_its_version() {
    let image = |there: &str, version: &str| {
        let before = Controller {
            version: version.into(),
            image: there.into(),
            image_pull_secret: Some("pull".into()),
            replicas: 3,
            arguments: ["controller", "run", "--image", there, "--allow-local-backends"]
                .map(str::to_owned)
                .to_vec(),
            ..Controller::default()
        };
        let settings = settings(Chosen::default(), &before);
        assert_eq!(settings.arguments, ["--allow-local-backends"]);
        assert_eq!((settings.replicas, settings.image_pull_secret.as_deref()), (3, Some("pull")));
        settings.image
    };
    let own = version::TEXT;
    assert_eq!(image("meshctl:0.0.1", "0.0.1"), format!("meshctl:{own}"));
    assert_eq!(image("r.example.com/m:0.0.1", "0.0.1"), format!("r.example.com/m:{own}"));
    assert_eq!(image("r.example.com/m:mine", "0.0.1"), "r.example.com/m:mine");
    assert_eq!(image("", ""), format!("meshctl:{own}"));
}
