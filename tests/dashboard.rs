//! The dashboard in a real browser: Chromium, which Playwright for Python drives. What is done there and
//! what must be seen stands in `dashboard/*.py`; here is the service that it happens to.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "support/live/mod.rs"]
mod live;

#[path = "dashboard/history.rs"]
mod history;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use live::{BOOTSTRAP_KEY, Service, TestStore};
use serde_json::{Value, json};

/// Plays a scenario, `file.name`, in a browser of its own. `given` is what it must know.
fn play(service: &mut Service, store: &mut TestStore, scenario: &str, mut given: Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    given["base"] = format!("http://127.0.0.1:{}", service.port()).into();
    given["key"] = BOOTSTRAP_KEY.into();
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("python3");
    command.arg(folder.join("tests/dashboard/run.py")).args([scenario, &given.to_string()]);
    command.env("PYTHONPATH", folder.join("target/python-playwright"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said.reopen().unwrap());
    let mut python =
        command.spawn().unwrap_or_else(|e| panic!("python3 ({e}): run `make playwright`"));
    let mut answers = python.stdin.take().unwrap();
    for order in BufReader::new(python.stdout.take().unwrap()).lines() {
        match order.unwrap().as_str() {
            "kill service" => service.kill(),
            "start service" => service.restart(),
            "kill store" => store.kill(),
            order => panic!("no such order: {order}"),
        }
        answers.write_all(b"done\n").unwrap();
    }
    let ended = python.wait().unwrap();
    let said = std::fs::read_to_string(said.path()).unwrap();
    assert!(!said.contains("No module named"), "Playwright is missing: run `make playwright`");
    assert!(ended.success(), "{said}");
}

/// Plays it on a new service over the embedded store.
fn play_alone(scenario: &str) {
    play(&mut Service::start(""), &mut TestStore::embedded(), scenario, json!({}));
}

/// Makes a test of each scenario of a file that begins with a service where nothing is yet.
macro_rules! plays {
    ($($file:ident { $($name:ident)+ })+) => {
        $(mod $file {
            $(#[test] fn $name() { super::play_alone(concat!(stringify!($file), ".", stringify!($name))); })+
        })+
    };
}

plays! {
    sessions {
        a_wrong_key_is_told_what_to_do_and_the_right_one_enters
        the_key_stays_out_of_the_page_and_its_storage
        a_session_that_ends_leads_to_the_form_and_back
        what_was_entered_outlives_the_session
        who_signs_out_is_out
    }
    minting {
        one_key_press_mints_and_copies
        a_link_gets_the_code_title_and_tags_that_were_asked_for
        a_code_that_the_address_asks_for_is_the_links
        many_lines_make_many_links
        lines_that_were_not_sent_are_kept
        what_was_not_fetched_in_time_says_so_and_is_had_later
    }
    links {
        links_are_found_and_what_is_looked_for_stands_in_the_address
        a_link_is_edited_withdrawn_restored_and_deleted
        a_refused_edit_says_at_its_field_what_is_wrong
        a_refused_search_leaves_no_other_rows
        who_comes_back_to_the_list_finds_it_as_it_is_now
        an_expiry_is_told_and_taken_in_the_chosen_zone
        qr_codes_are_the_files_that_they_say
        going_back_before_a_page_came_stays_where_one_is
    }
    figures {
        a_click_is_seen_within_two_seconds
        a_page_outlives_the_service
    }
    keys {
        a_key_is_shown_once_and_revoked
        who_revokes_their_own_key_is_signed_out
        a_read_key_sees_nothing_to_edit
        a_minting_key_edits_its_own_links_only
        settings_and_health_are_those_in_effect
    }
    pages {
        the_first_load_is_small
        the_next_load_asks_for_no_file
        one_can_mint_before_there_are_figures
        what_is_folded_away_or_still_empty_can_be_used_by_everyone
    }
    hostile {
        what_strangers_write_stays_text_in_the_dashboard
        what_strangers_write_stays_text_on_a_links_page_and_in_dialogs
        what_strangers_write_stays_text_for_readers
    }
}

/// Plays it on a service with weeks of figures behind it.
fn play_with_history(scenario: &str) {
    let (mut service, codes) = history::service();
    play(&mut service, &mut TestStore::embedded(), scenario, json!({ "codes": codes }));
}

#[test]
fn every_window_and_zone_says_what_the_api_says() {
    play_with_history("figures.every_window_and_zone_says_what_the_api_says");
}

#[test]
fn dragging_over_the_chart_shows_that_part_of_it() {
    play_with_history("figures.dragging_over_the_chart_shows_that_part_of_it");
}

#[test]
fn files_hold_what_the_api_answers_byte_for_byte() {
    play_with_history("figures.files_hold_what_the_api_answers_byte_for_byte");
}

#[test]
fn people_and_bots_are_told_apart_and_compared_with_before() {
    play_with_history("figures.people_and_bots_are_told_apart_and_compared_with_before");
}

#[test]
fn every_page_of_the_dashboard_can_be_used_by_everyone() {
    play_with_history("pages.every_page_of_the_dashboard_can_be_used_by_everyone");
}

#[test]
fn every_dialog_can_be_used_by_everyone() {
    play_with_history("pages.every_dialog_can_be_used_by_everyone");
}

#[test]
fn the_keyboard_reaches_everything_and_the_focus_is_seen() {
    play_with_history("pages.the_keyboard_reaches_everything_and_the_focus_is_seen");
}

#[test]
fn ten_thousand_links_are_scrolled_to_the_last() {
    let mut service = Service::start("");
    let line = |n: usize| {
        let (minute, second) = (n / 60, n % 60);
        let made_at = format!(
            "2020-01-{:02}T{:02}:{:02}:{second:02}Z",
            1 + minute / 1440,
            minute / 60 % 24,
            minute % 60
        );
        json!({ "code": format!("story-{n}"), "target": format!("https://www.example.org/story-{n}"),
                "title": format!("Story {n} of the archive"), "created_at": made_at })
    };
    let lines: Vec<String> = (0..10_000).map(|n| line(n).to_string()).collect();
    assert_eq!(service.import(&lines.join("\n"), "")[0]["imported"], 10_000);
    let scenario = "links.ten_thousand_links_are_scrolled_to_the_last";
    play(&mut service, &mut TestStore::embedded(), scenario, json!({}));
}

#[test]
fn every_page_for_readers_can_be_used_by_everyone() {
    let mut store = TestStore::redis();
    let settings = [("LINKS__PUBLIC_STATS", "true"), ("BRAND__NAME", "The Morning Post")];
    let mut service = Service::start_with(&store.url(), &settings);
    let reason = json!({ "state": "disabled", "reason": "Withdrawn after a correction." });
    let story =
        json!({ "url": "https://www.example.org/a-story.html", "title": "What the river took" });
    let codes = json!({
        "story": service.mint_with(story),
        "withdrawn": service.mint("https://www.example.org/withdrawn"),
        "deleted": service.mint("https://www.example.org/deleted"),
        "harmful": service.mint("https://malware.example/"),
    });
    let path = |name: &str| format!("/api/v1/links/{}", codes[name].as_str().unwrap());
    service.call("PATCH", &path("withdrawn"), Some(&reason)).expect(200);
    service.call("DELETE", &path("deleted"), None).expect(204);
    for _ in 0..5 {
        service.follow(codes["story"].as_str().unwrap()).expect(302);
    }
    service.terminate();
    service.set("LINKS__MALWARE_HOSTS", "malware.example");
    service.restart();
    let scenario = "pages.every_page_for_readers_can_be_used_by_everyone";
    play(&mut service, &mut store, scenario, json!({ "codes": codes }));
}

#[test]
fn a_hostile_brand_stays_text() {
    let brand = r#""><img src=x onerror=window.ran=1>"#;
    let mut service = Service::start_with("", &[("BRAND__NAME", brand)]);
    play(
        &mut service,
        &mut TestStore::embedded(),
        "hostile.a_hostile_brand_stays_text",
        json!({ "brand": brand }),
    );
}
