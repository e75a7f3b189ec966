"""OWASP ASVS 5.0.0: the requirements that this project is held to, and the tests that prove them.

Ids are the standard's (cite as v5.0.0-5.2.1), words are ours. Tests are named by their path below
`src`; `test_asvs.py` fails for an id without one, and for a name that is no test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

VIEWS, SERVICES = "apps/media/tests/views", "apps/media/tests/services"
ENGINES, FLOWS = "apps/media/tests/processing", "apps/media/tests/flows"
CORPUS = "apps/media/tests/corpus/test_corpus.py"
MEDIA, CORE, USERS = "apps/media/tests", "apps/core/tests", "apps/users/tests"
SURFACE, DANGERS = "config/tests/test_surface.py", "config/tests/test_dangers.py"
ARCHITECTURE = "config/tests/test_architecture.py"
ROLES = f"{VIEWS}/test_access_roles.py"
MATRIX, WORLDS = f"{VIEWS}/test_access_matrix.py", "apps/media/tests/policies/test_worlds.py"
OUTBOUND = f"{CORE}/outbound/test_client.py"
POSTS, EVENTS, NOTICES = (f"apps/{name}/tests" for name in ("posts", "events", "notifications"))


@dataclass(frozen=True)
class Requirement:
    """What is wanted, and where it is shown. `waiting` says what part of it is not there yet."""

    wanted: str
    tests: tuple[str, ...] = field(default=())
    waiting: str = ""


def _shown(wanted: str, *tests: str, waiting: str = "") -> Requirement:
    return Requirement(wanted, tests, waiting)


REQUIREMENTS: Mapping[str, Requirement] = {
    "V1.2.2": _shown(
        "addresses that are built from texts run nothing",
        f"{MEDIA}/test_filepages.py::test_names_are_text_and_never_markup",
        f"{ENGINES}/test_readings.py::TestInert::test_links_of_markdown",
    ),
    "V1.2.5": _shown(
        "no text of a visitor reaches a shell",
        f"{ARCHITECTURE}::test_one_place_for_each_danger",
        CORPUS + "::test_names",
    ),
    "V1.3.4": _shown(
        "drawings cannot act or fetch",
        f"{ENGINES}/test_svg.py::TestRefusals::test_what_could_act_or_fetch",
        f"{ENGINES}/test_svg.py::test_the_corpus_of_malicious_drawings",
    ),
    "V1.3.6": _shown(
        "addresses are fetched by an allow-list",
        f"{OUTBOUND}::TestNotAllowed::test_s1_s3_s6_what_is_no_plain_address",
        f"{OUTBOUND}::TestNotAllowed::test_s4_a_name_that_changes_after_the_check",
        f"{CORE}/outbound/test_addresses.py::test_s2_no_other_ones",
        f"{FLOWS}/test_imports.py::TestSource::test_inside_is_never_asked",
        f"{CORE}/outbound/test_posting.py::test_s1_s3_s6_what_is_no_plain_address",
        f"{SERVICES}/test_deliveries.py::TestSending::test_nothing_inside_is_asked",
    ),
    "V1.3.11": _shown(
        "no text of a visitor becomes a header of a mail",
        f"{NOTICES}/test_mailing.py::TestSending::test_v1_3_11_a_name_cannot_add_headers",
    ),
    "V1.5.1": _shown(
        "XML has no outer entities",
        f"{ENGINES}/test_office.py::TestHostile::test_entities",
        f"{ENGINES}/test_svg.py::TestRefusals::test_what_could_act_or_fetch",
    ),
    "V1.5.2": _shown(
        "nothing is unpacked into objects",
        f"{DANGERS}::test_messages_with_code_in_them_are_refused",
    ),
    "V1.5.3": _shown(
        "one reading of an address for checking and connecting",
        f"{OUTBOUND}::TestAnswer::test_v1_5_3_one_host_is_looked_up_connected_and_asked",
    ),
    "V2.2.2": _shown(
        "the server checks, whatever the client has",
        f"{SERVICES}/test_uploads.py::TestFinalize::test_believes_the_stored_bytes_only",
        f"{VIEWS}/test_api.py::TestCreate::test_refuses_with_a_code",
    ),
    "V2.3.1": _shown(
        "steps in their order only",
        f"{VIEWS}/test_direct.py::test_a_missing_part",
        f"{VIEWS}/test_tus.py::TestAccess::test_auth_01_others_find_nothing",
        f"{SERVICES}/test_uploads.py::TestFinalize::test_twice_gives_the_same_file",
    ),
    "V2.3.3": _shown(
        "all or nothing",
        f"{SERVICES}/test_uploads.py::test_refused_bytes_leave_no_trace",
        f"{FLOWS}/test_upload_faults.py::test_f15_twenty_finalizers_at_once",
        f"{NOTICES}/test_announcing.py::TestPosts::test_v2_3_3_a_worker_that_dies_tells_nobody_twice",
    ),
    "V2.3.4": _shown(
        "what is limited is locked",
        f"{SERVICES}/test_uploads.py::TestQuota::test_parallel_uploads_never_pass_it",
        f"{FLOWS}/test_upload_faults.py::TestQuota::test_f17_one_of_twenty_fits",
        f"{SERVICES}/test_share_links.py::test_v2_3_4_as_many_downloads_as_allowed_never_one_more",
        f"{VIEWS}/test_share_links.py::test_v2_3_4_two_who_want_the_last_download",
    ),
    "V2.4.1": _shown(
        "costly functions are limited in rate",
        f"{VIEWS}/test_imports.py::test_is_limited_in_rate",
        f"{VIEWS}/test_rates.py::test_files_by_every_way",
        f"{VIEWS}/test_rates.py::test_renditions_that_are_made_and_not_those_that_are_there",
        f"{CORE}/test_rates.py::test_exact_under_threads",
        f"{USERS}/test_tokens.py::test_asking_is_limited_by_address",
        f"{NOTICES}/test_mailing.py::TestPicture::test_v2_4_1_guesses_are_limited",
        *(
            f"{VIEWS}/test_share_links.py::TestPassword::test_v2_4_1_{name}"
            for name in (
                "guesses_of_an_address_are_few",
                "guesses_of_a_link_are_few_from_wherever_they_come",
                "wrong_tokens_of_an_address_are_few",
            )
        ),
    ),
    "V3.2.1": _shown(
        "browsers run nothing that was uploaded",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_only_safe_types_are_shown",
        f"{CORE}/test_byteserving.py::test_s01_every_answer_is_locked",
        f"{VIEWS}/test_demand.py::TestKinds::test_a_paper_is_an_attachment",
    ),
    "V3.3.1": _shown("cookies over TLS only", f"{SURFACE}::test_cookies_are_hardened"),
    "V3.3.2": _shown("cookies of this site only", f"{SURFACE}::test_cookies_are_hardened"),
    "V3.3.3": _shown("cookies of this host only", f"{SURFACE}::test_cookies_are_hardened"),
    "V3.3.4": _shown(
        "scripts cannot read the session",
        f"{SURFACE}::test_cookies_are_hardened",
        f"{SURFACE}::test_bytes_set_no_cookie",
    ),
    "V3.4.1": _shown(
        "TLS is remembered for a year, on every address",
        f"{SURFACE}::test_headers_of_every_address",
        f"{SURFACE}::test_plain_http_is_led_to_tls",
    ),
    "V3.4.2": _shown(
        "no other origin reads anything unless it is listed",
        "config/tests/test_cors.py::test_only_who_is_listed",
        "config/tests/test_cors.py::test_everybody_is_possible_but_never_with_cookies",
        f"{SURFACE}::test_headers_of_every_address",
        f"{SURFACE}::test_headers_of_bytes_in_every_status",
    ),
    "V3.4.3": _shown("a content policy", f"{SURFACE}::test_headers_of_every_address"),
    "V3.4.4": _shown(
        "no guessing of types, in every status",
        f"{SURFACE}::test_headers_of_every_address",
        f"{SURFACE}::test_headers_of_bytes_in_every_status",
        f"{CORE}/test_byteserving.py::test_s01_every_answer_is_locked",
    ),
    "V3.4.5": _shown(
        "addresses of bytes leave by no referrer",
        f"{SURFACE}::test_headers_of_every_address",
        f"{SURFACE}::test_no_referrer_leaves_with_bytes",
    ),
    "V3.4.6": _shown("no framing by others", f"{SURFACE}::test_headers_of_every_address"),
    "V3.5.1": _shown(
        "a session alone changes nothing",
        f"{VIEWS}/test_tus.py::TestAccess::"
        "test_v3_5_1_a_session_needs_the_token_against_cross_site_requests",
        f"{VIEWS}/test_api.py::TestCreate::test_a_session_needs_its_token_against_forgery",
        f"{MEDIA}/test_pages.py::test_a_form_of_another_site_takes_nothing",
    ),
    "V3.5.2": _shown(
        "no request of another site passes without being asked for",
        f"{SURFACE}::test_headers_of_every_address",
        f"{VIEWS}/test_captions.py::test_a_session_needs_its_token_against_forgery",
    ),
    "V3.5.3": _shown(
        "safe methods change nothing",
        f"{MEDIA}/test_pages.py::test_changes_are_posts",
        f"{USERS}/test_accounts.py::test_signing_in_leads_on_and_out_needs_a_post",
        f"{SURFACE}::test_methods_that_an_address_does_not_know",
    ),
    "V3.5.4": _shown(
        "uploads on a host of their own",
        "config/tests/test_bytes_host.py::test_nothing_else_is",
        "config/tests/test_bytes_host.py::test_nobody_is_anybody_there",
        f"{MEDIA}/browser/test_bytes_host.py::test_a_film",
        "config/tests/test_bytes_host.py::test_what_is_private_is_there_by_a_signed_address_alone",
    ),
    "V3.5.8": _shown(
        "no other site embeds what is private",
        f"{SURFACE}::test_headers_of_bytes_in_every_status",
    ),
    "V3.7.2": _shown(
        "redirects stay here",
        f"{USERS}/test_accounts.py::test_signing_in_never_leads_to_another_site",
        f"{MEDIA}/test_pages.py::test_the_way_back_stays_on_this_site",
    ),
    "V4.1.1": _shown(
        "the type is that of the bytes, texts with their charset",
        f"{CORE}/test_byteserving.py::test_texts_name_their_charset",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_only_safe_types_are_shown",
    ),
    "V4.1.3": _shown(
        "visitors do not speak for proxies",
        f"{SURFACE}::test_a_visitor_says_nothing_about_host_or_address",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_an_internal_header_of_a_visitor_does_nothing",
        f"{FLOWS}/test_nginx.py::TestWhereABodyLies::test_in_a_creation",
    ),
    "V4.1.4": _shown(
        "only methods that an address knows",
        f"{SURFACE}::test_odd_methods_are_refused_everywhere",
        f"{SURFACE}::test_methods_that_an_address_does_not_know",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_only_reading_is_possible",
    ),
    "V4.2.1": _shown(
        "one reading of where a request ends",
        f"{FLOWS}/test_upload_faults.py::TestFraming::test_f28_tus",
        f"{FLOWS}/test_upload_faults.py::TestFraming::test_f28_less_than_was_sent",
        f"{CORE}/test_requestbody.py::test_all_of_it_and_then_the_next_request",
    ),
    "V5.1.1": _shown(
        "types and limits are a table",
        f"{MEDIA}/test_conf.py::test_every_accepted_type_has_a_limit",
        f"{CORE}/test_filetypes.py::test_rows_are_well_formed",
    ),
    "V5.2.1": _shown(
        "sizes are limited while bytes come, by every way in",
        f"{SERVICES}/test_uploads.py::test_a_stream_of_unknown_size_stops_at_the_limit",
        f"{VIEWS}/test_api.py::TestCreate::test_file_too_large",
        f"{VIEWS}/test_tus.py::TestCreation::test_cre_05_too_large",
        f"{VIEWS}/test_direct.py::test_refused_at_once",
        f"{SERVICES}/test_imports.py::TestRefusal::"
        "test_s7_an_endless_source_ends_at_the_limit_of_its_type",
        f"{FLOWS}/test_memory.py::test_large_files_do_not_pass_through_memory",
    ),
    "V5.2.2": _shown(
        "name and content agree, and both are allowed",
        f"{CORE}/test_sniffing.py::test_name_and_content_have_to_agree",
        f"{CORE}/test_sniffing.py::test_upload_tricks_with_genuine_content_are_unknown",
        f"{CORPUS}::test_tricks",
    ),
    "V5.2.3": _shown(
        "packed files are measured before they are unpacked",
        f"{ENGINES}/test_office.py::TestProbe::test_damage_and_bombs",
        f"{ENGINES}/test_malware.py::TestLimits::test_and_bytes_beyond_the_size",
        f"{CORPUS}::test_two_formats_in_one_archives_and_drawings",
    ),
    "V5.2.4": _shown(
        "quotas of bytes and files",
        f"{SERVICES}/test_uploads.py::TestQuota::test_is_exact_to_the_byte",
        f"{SERVICES}/test_uploads.py::TestQuota::test_counts_files",
    ),
    "V5.2.5": _shown(
        "links in archives lead nowhere",
        f"{CORPUS}::test_two_formats_in_one_archives_and_drawings",
        f"{ENGINES}/test_malware.py::test_nothing_of_the_corpus_is_malware",
    ),
    "V5.2.6": _shown(
        "pixels are limited",
        f"{ENGINES}/test_engines.py::TestExtremes::test_bombs_are_refused_by_their_headers",
        f"{ENGINES}/test_engines.py::TestAnimations::test_frames_count_as_pixels",
    ),
    "V5.3.1": _shown(
        "nothing uploaded is executed",
        f"{CORPUS}::test_tricks",
        f"{CORE}/test_filetypes.py::test_only_types_that_cannot_run_code_are_shown_in_place",
    ),
    "V5.3.2": _shown(
        "paths are ours alone",
        f"{SERVICES}/test_uploads.py::test_storage_keys_hold_nothing_of_the_client",
        f"{VIEWS}/test_tus.py::TestCreation::test_cre_10_names_do_not_become_keys",
        f"{VIEWS}/test_api.py::TestNames::test_traversal_names",
    ),
    "V5.3.3": _shown(
        "names in archives are no paths",
        f"{CORPUS}::test_two_formats_in_one_archives_and_drawings",
        f"{CORE}/test_storage_keys.py::TestKeys::test_an_admitted_key_stays_below_the_root",
    ),
    "V5.4.1": _shown(
        "the name of a download is ours",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_a_name_in_the_query_is_ignored",
    ),
    "V5.4.2": _shown(
        "names are encoded by the rules",
        f"{CORE}/test_byteserving.py::test_naughty_names",
        f"{VIEWS}/test_api.py::TestNames::test_naughty_strings_as_file_names",
    ),
    "V5.4.3": _shown(
        "malware is given to nobody",
        f"{SERVICES}/test_processing.py::TestMalware::test_nobody_gets_what_is_in_quarantine",
        f"{SERVICES}/test_processing.py::TestMalware::test_before_the_scan_nobody_else_sees_it",
        f"{FLOWS}/test_scanner_faults.py::test_away_it_makes_files_wait_and_back_it_lets_them_out",
    ),
    "V7.4.1": _shown(
        "signing out ends access",
        f"{USERS}/test_accounts.py::test_signing_in_leads_on_and_out_needs_a_post",
        f"{USERS}/test_tokens.py::test_a_revoked_token_is_worth_nothing",
    ),
    "V7.4.2": _shown(
        "switching an account off ends access",
        f"{MATRIX}::test_a_disabled_owner_sees_nothing",
        f"{USERS}/test_tokens.py::test_a_disabled_user_gets_none",
    ),
    "V8.1.1": _shown(
        "who may do what is written down", f"{MATRIX}::test_every_address_has_its_row"
    ),
    "V8.2.1": _shown(
        "functions are for those who may",
        f"{ROLES}::test_changing",
        f"{POSTS}/test_access.py::test_changing",
        f"{EVENTS}/test_access_matrix.py::test_who_gets_what",
        f"{POSTS}/test_admin.py::test_v8_2_1_refusals_change_nothing",
        f"{POSTS}/test_admin.py::test_v8_2_1_the_search_offers_what_fits_to_those_who_may_see_it",
    ),
    "V8.2.2": _shown(
        "files are for those who may",
        f"{ROLES}::test_viewing",
        f"{WORLDS}::test_one_rule_for_files",
        f"{WORLDS}::test_one_rule_for_collections",
        f"{POSTS}/test_access.py::TestReading::test_the_file_in_it",
        f"{EVENTS}/test_inheritance.py::test_a_gallery_is_seen_with_its_event",
        f"{NOTICES}/test_notifications.py::test_v8_2_2_every_address_is_for_the_recipient_alone",
        f"{NOTICES}/test_announcing.py::TestPosts::test_v8_2_2_who_may_not_see_it_by_then_is_not_told",
    ),
    "V8.2.3": _shown(
        "fields are for those who may",
        f"{VIEWS}/test_api.py::TestChange::test_patch_cannot_set_facts",
        f"{VIEWS}/test_details.py::TestFacts::test_others_read_what_playing_needs",
        f"{MEDIA}/test_filepages.py::test_what_a_file_says_of_people_is_for_those_who_may_edit_it",
        f"{POSTS}/test_access.py::test_v8_2_3_uses_are_named_to_whoever_may_see_the_post",
        f"{EVENTS}/test_inheritance.py::test_v8_2_3_uses_are_named_to_whoever_may_see_the_event",
        f"{NOTICES}/test_mailing.py::TestPicture::test_v8_2_3_tells_nothing_else",
    ),
    "V8.3.1": _shown(
        "the server decides, on every way out",
        f"{FLOWS}/test_delivery.py::TestNginx::test_permission_comes_first",
        f"{FLOWS}/test_delivery.py::TestNginx::test_nobody_asks_for_stored_objects",
        f"{ROLES}::test_viewing",
        f"{ROLES}::test_conditions_and_ranges",
    ),
    "V8.3.2": _shown(
        "a right that ends, ends at once",
        f"{MATRIX}::test_withdrawing_publicity_works_at_once",
        f"{VIEWS}/test_signed.py::TestEnds::test_with_the_version",
        f"{MEDIA}/browser/test_private_streams.py::test_by_a_grant_until_it_is_revoked",
        f"{NOTICES}/test_mailing.py::TestPicture::test_v8_3_2_ends",
        f"{NOTICES}/test_announcing.py::TestPosts::test_v8_3_2_nor_shown_or_sent_it_later",
        f"{NOTICES}/test_announcing.py::TestPhotosOfEvents::"
        "test_v8_3_2_who_is_invited_no_more_is_told_nothing",
    ),
    "V8.3.3": _shown(
        "work is done with the rights of whoever wanted it",
        f"{SERVICES}/test_imports.py::TestRefusal::test_v8_3_3_acts_with_the_rights_of_its_owner",
    ),
    "V8.4.1": _shown(
        "owners are kept apart",
        f"{ROLES}::test_viewing",
        f"{MATRIX}::test_lists_show_strangers_nothing_private",
    ),
    "V9.1.1": _shown(
        "signed addresses are verified",
        f"{VIEWS}/test_signed.py::TestForged::test_every_bit_counts",
        f"{VIEWS}/test_signed.py::TestForged::test_every_character_counts",
        f"{NOTICES}/test_mailing.py::TestUnsubscribing::test_v9_1_1_a_forged_address_does_nothing",
    ),
    "V9.1.2": _shown(
        "by one fixed algorithm, in one spelling",
        f"{VIEWS}/test_signed.py::TestForged::test_every_other_spelling",
        f"{VIEWS}/test_signed.py::TestForged::test_parameters",
    ),
    "V9.1.3": _shown(
        "with our own keys",
        f"{VIEWS}/test_signed.py::TestForged::test_another_key_and_one_that_was_replaced",
    ),
    "V9.2.1": _shown(
        "within their time",
        f"{VIEWS}/test_signed.py::TestForged::test_after_its_time",
        f"{VIEWS}/test_signed.py::TestTime::test_as_long_as_was_asked",
    ),
    "V9.2.2": _shown(
        "for their purpose",
        f"{VIEWS}/test_signed.py::TestForged::test_another_purpose",
        f"{VIEWS}/test_signed.py::TestOpens::test_one_rendition_and_no_other",
    ),
    "V9.2.3": _shown(
        "for what they were made for alone",
        f"{VIEWS}/test_signed.py::TestForged::test_another_file_version_scope_or_name",
    ),
    "V9.2.4": _shown(
        "and add nothing to a session, nor it to them",
        f"{VIEWS}/test_signed.py::TestForged::test_a_real_session_adds_nothing",
    ),
    "V11.2.4": _shown(
        "secrets are compared in constant time",
        f"{DANGERS}::test_secrets_are_compared_in_constant_time",
    ),
    "V11.4.1": _shown("no MD5 for safety", f"{DANGERS}::test_md5_and_sha1_secure_nothing"),
    "V11.5.1": _shown(
        "what must not be guessed is random",
        f"{DANGERS}::test_what_must_not_be_guessed_is_long_and_random",
        f"{DANGERS}::test_keys_tell_nothing_and_cannot_be_guessed",
        f"{VIEWS}/test_tus.py::TestCreation::test_cre_11_addresses_cannot_be_guessed",
    ),
    "V13.1.1": _shown("one way out", f"{ARCHITECTURE}::test_layers"),
    "V13.1.2": _shown(
        "limits of what we depend on",
        f"{CORE}/contracts/test_storage_kinds.py::TestS3::test_limits_are_set",
        f"{MEDIA}/test_clamd.py::TestOddListeners::test_silence_is_away_and_is_told_meanwhile",
    ),
    "V13.1.3": _shown(
        "times and attempts of what we depend on",
        f"{CORE}/contracts/test_azure.py::TestTrouble::test_limits_are_set",
        f"{CORE}/contracts/test_gcs.py::TestTrouble::test_limits_are_set",
        f"{SERVICES}/test_jobs.py::TestRetries::test_an_engine_away_is_tried_again_later",
        f"{SERVICES}/test_deliveries.py::TestTryingAgain::test_waits_longer_each_time_for_about_a_day",
    ),
    "V13.2.2": _shown(
        "least rights", f"{DANGERS}::test_the_storage_is_asked_for_nothing_beside_its_own_bucket"
    ),
    "V13.2.4": _shown(
        "destinations by an allow-list",
        f"{OUTBOUND}::TestNotAllowed::test_s2_the_default_reach_connects_nowhere",
        f"{ARCHITECTURE}::test_layers",
    ),
    "V13.2.5": _shown(
        "decoders reach nobody",
        f"{ENGINES}/test_sandbox.py::TestSurroundings::test_no_network_where_the_kernel_can",
    ),
    "V13.2.6": _shown(
        "no wait without an end",
        f"{OUTBOUND}::TestHostileSource::test_s7_silence",
        f"{CORE}/outbound/test_posting.py::test_s7_s10_whoever_does_not_answer",
        f"{FLOWS}/test_storage_faults.py::test_f25_a_black_hole_holds_up_nobody_else",
    ),
    "V13.4.1": _shown(
        "no traces of version control", f"{SURFACE}::test_nothing_beside_the_addresses_is_served"
    ),
    "V13.4.2": _shown(
        "no debugging in service",
        f"{SURFACE}::test_errors_tell_nothing_of_the_inside",
        "config/tests/test_env.py::test_production_refuses_what_is_unsafe",
    ),
    "V13.4.3": _shown(
        "no lists of directories", f"{SURFACE}::test_nothing_beside_the_addresses_is_served"
    ),
    "V13.4.4": _shown("no TRACE", f"{SURFACE}::test_odd_methods_are_refused_everywhere"),
    "V13.4.5": _shown("no inner pages", f"{SURFACE}::test_nothing_beside_the_addresses_is_served"),
    "V13.4.6": _shown("no versions told", f"{SURFACE}::test_headers_of_every_address"),
    "V13.4.7": _shown(
        "only what is meant is served", f"{SURFACE}::test_nothing_beside_the_addresses_is_served"
    ),
    "V14.2.1": _shown(
        "no secrets in logged addresses",
        f"{CORE}/test_logs.py::test_clean_line",
        f"{SURFACE}::test_refusals_are_logged_once_with_a_code",
    ),
    "V14.2.2": _shown(
        "caches keep nothing private",
        f"{FLOWS}/test_delivery.py::TestSharedCache::test_what_is_private_stays_so",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_caching_follows_visibility",
        f"{VIEWS}/test_demand.py::TestPlaces::test_no_cache_gives_the_owners_to_others",
        f"{VIEWS}/test_versions.py::TestCaches::test_while_the_new_version_is_looked_at",
    ),
    "V14.2.5": _shown(
        "no address that a cache takes for another",
        f"{VIEWS}/test_delivery.py::TestHeaders::test_web_cache_deception",
    ),
    "V14.2.8": _shown(
        "renditions say nothing of people",
        f"{ENGINES}/test_engines.py::TestMetadata::test_camera_and_date_but_never_a_position",
        f"{ENGINES}/test_privacy.py::TestCopies::"
        "test_the_pixels_and_the_profile_are_the_same_and_nothing_is_told",
    ),
    "V14.3.2": _shown(
        "browsers keep nothing private",
        f"{MEDIA}/test_pages.py::test_pages_have_nothing_inline_and_are_kept_by_nobody",
        f"{MEDIA}/browser/test_navigation.py::test_signing_out_leaves_nothing_in_the_browser",
    ),
    "V15.1.3": _shown(
        "what is costly is known and limited",
        f"{VIEWS}/test_limits.py::test_as_many_at_a_time_as_are_allowed",
        f"{CORE}/test_pacing.py::test_as_many_as_there_are_places_however_many_ask_at_once",
        f"{MEDIA}/test_conf.py::test_every_accepted_type_has_a_limit",
        f"{MEDIA}/test_regressions_processing.py::test_a_stranger_cannot_fill_the_queue_with_pages",
    ),
    "V15.2.2": _shown(
        "work has limits of time and memory",
        f"{ENGINES}/test_sandbox.py::TestDeaths::test_cpu_time_is_limited",
        f"{ENGINES}/test_sandbox.py::TestDeaths::test_wall_time_is_limited",
        f"{SERVICES}/test_program_faults.py::test_too_little_memory_ends_the_child_alone",
    ),
    "V15.2.5": _shown(
        "decoders are confined",
        f"{ENGINES}/test_sandbox.py::TestSurroundings::test_no_secret_is_in_reach",
        f"{SERVICES}/test_workplaces.py::test_a_source_is_not_the_childs_to_change",
    ),
    "V15.3.1": _shown(
        "only what is needed is told",
        f"{VIEWS}/test_details.py::TestFacts::test_others_read_what_playing_needs",
        f"{VIEWS}/test_details.py::TestFacts::test_lists_tell_none",
    ),
    "V15.3.2": _shown(
        "redirects are judged one by one",
        f"{OUTBOUND}::TestNotAllowed::test_s5_a_redirect_inside",
        f"{OUTBOUND}::TestNotAllowed::test_s5_three_redirects_and_no_more",
    ),
    "V15.3.3": _shown(
        "nobody sets what is not theirs",
        f"{VIEWS}/test_api.py::TestChange::test_patch_cannot_set_facts",
        f"{MATRIX}::test_staff_may_upload_only_as_themselves",
    ),
    "V15.4.1": _shown(
        "what is shared is safe side by side",
        f"{SERVICES}/test_quotas.py::TestSideBySide::"
        "test_of_twenty_uploads_of_which_one_fits_one_is_taken",
    ),
    "V15.4.2": _shown(
        "checking and acting are one step",
        f"{MEDIA}/test_regressions.py::test_the_loser_of_two_finalizations_destroys_nothing",
        f"{SERVICES}/test_jobs.py::TestLease::test_a_zombie_cannot_save",
        f"{NOTICES}/test_notifications.py::test_v15_4_2_at_once_they_are_one",
    ),
    "V15.4.3": _shown(
        "locks do not lock each other",
        f"{MEDIA}/test_regressions.py::TestAtOnce::test_deleting_and_tagging_meet",
        f"{MEDIA}/test_regressions.py::TestAtOnce::test_deleting_and_processing_meet",
    ),
    "V15.4.4": _shown(
        "nobody waits for ever",
        f"{FLOWS}/test_tus_lines.py::test_hundreds_of_slow_lines",
        f"{FLOWS}/test_film_faults.py::test_a_film_keeps_no_picture_waiting",
    ),
    "V16.2.5": _shown(
        "logs hold no secrets", f"{CORE}/test_logs.py::test_arguments_are_cleaned_too"
    ),
    "V16.3.2": _shown(
        "refusals are logged", f"{SURFACE}::test_refusals_are_logged_once_with_a_code"
    ),
    "V16.3.3": _shown(
        "attempts to get round are logged", f"{SURFACE}::test_refusals_are_logged_once_with_a_code"
    ),
    "V16.3.4": _shown(
        "what nobody expected is logged", f"{SURFACE}::test_errors_tell_nothing_of_the_inside"
    ),
    "V16.4.1": _shown("nobody writes lines into logs", f"{CORE}/test_logs.py::test_clean_line"),
    "V16.5.1": _shown(
        "errors say nothing of the inside",
        f"{SURFACE}::test_errors_tell_nothing_of_the_inside",
        f"{SERVICES}/test_imports.py::TestRefusal::test_an_unexpected_error_says_nothing",
    ),
    "V16.5.2": _shown(
        "what is away is said",
        f"{SERVICES}/test_uploads.py::test_storage_away_is_said_and_leaves_no_trace",
        f"{FLOWS}/test_room_faults.py::TestDatabaseAway::test_f20_before_creation",
    ),
    "V16.5.3": _shown(
        "in doubt, closed",
        f"{FLOWS}/test_scanner_faults.py::test_away_it_makes_files_wait_and_back_it_lets_them_out",
        f"{SERVICES}/test_processing.py::TestPlaces::test_without_a_clean_copy_others_get_nothing",
    ),
    "V16.5.4": _shown(
        "a last answer for everything",
        f"{SURFACE}::test_errors_tell_nothing_of_the_inside",
        f"{SERVICES}/test_jobs.py::TestRetries::"
        "test_an_unexpected_error_ends_after_bounded_attempts",
    ),
}
