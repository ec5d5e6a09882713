//! Agents that newsrooms meet, written down with what they are.

/// The platform behind a link's preview, and its agent.
pub(super) const PREVIEWS: [(&str, &str); 40] = [
    ("WhatsApp", "WhatsApp"),
    ("WhatsApp", "WhatsApp/2.24.9.78 A"),
    ("WhatsApp", "WhatsApp/2.2413.51 W"),
    ("WhatsApp", "WhatsApp/2.11.157 Android/4.1.2 Device/samsung-SM-T210"),
    ("Signal", "WhatsApp/2"),
    ("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    ("Slack", "Slackbot 1.0 (+https://api.slack.com/robots)"),
    ("X", "Twitterbot/1.0"),
    ("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    ("Facebook", "facebookexternalhit/1.1"),
    ("Facebook", "Facebot/1.0"),
    ("Facebook", "meta-externalfetcher/1.1"),
    (
        "iMessage",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) \
         Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    ),
    (
        "LinkedIn",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    ),
    ("Telegram", "TelegramBot (like TwitterBot)"),
    ("Mastodon", "http.rb/2.2.2 (Mastodon/1.5.1; +https://example-masto-instance.org/)"),
    ("Mastodon", "Mastodon/4.3.2 (http.rb/5.2.0; +https://mastodon.example/)"),
    ("Misskey", "SummalyBot/5.1.0"),
    ("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"),
    (
        "Bluesky",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Bluesky Cardyb/1.1; \
         +mailto:support@bsky.app) Chrome/W.X.Y.Z Safari/537.36",
    ),
    (
        "Teams",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 \
         skype-url-preview@microsoft.com",
    ),
    ("Viber", "Viber"),
    ("Line", "facebookexternalhit/1.1;line-poker/1.0"),
    (
        "KakaoTalk",
        "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    ),
    ("Pinterest", "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)"),
    ("Pinterest", "Pinterest/0.2 (+https://www.pinterest.com/bot.html)"),
    ("Reddit", "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)"),
    (
        "Google Chat",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google \
         (+https://developers.google.com/+/web/snippet/)",
    ),
    ("VK", "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)"),
    ("Embedly", "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)"),
    ("Iframely", "Iframely/1.3.1 (+https://iframely.com/docs/about) Atlassian"),
    ("Snapchat", "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots"),
    ("Steam", "Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)"),
    ("Matrix", "Synapse (bot; +https://github.com/matrix-org/synapse)"),
    ("Mattermost", "Mattermost-Bot/1.1"),
    ("Discourse", "Discourse Forum Onebox v3.3.0.beta1-dev"),
    (
        "Flipboard",
        "Mozilla/5.0 (compatible; FlipboardProxy/1.2; +http://flipboard.com/browserproxy)",
    ),
    ("Tumblr", "Tumblr/14.0.835.186"),
    ("Office", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Word 16.0.17328; Pro)"),
    ("other", "SomebodysLinkPreview/3.0"),
];

/// People's agents that bear a name which is elsewhere a bot's, or that look like no browser's:
/// device, browser, platform, agent.
pub(super) const WITHIN_APPS: [(&str, &str, &str, &str); 14] = [
    (
        "phone",
        "Facebook",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0.1.41.103;FBBV/602060281;FBDV/iPhone14,5;FBMD/\
         iPhone;FBSN/iOS;FBSV/17.5.1;FBSS/3;FBID/phone;FBLC/de_DE;FBOP/5]",
    ),
    (
        "phone",
        "Instagram",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
         like Gecko) Mobile/15E148 Instagram 335.0.8.26.85 (iPhone14,5; iOS 17_5_1; de_DE; de; \
         scale=3.00; 1170x2532; 609775437)",
    ),
    (
        "phone",
        "Instagram",
        "Android",
        "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 \
         (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 Instagram \
         334.0.0.42.95 Android (34/14; 480dpi; 1080x2125; samsung; SM-S911B; dm1q; qcom; de_DE)",
    ),
    (
        "phone",
        "Mobile Safari UI/WKWebView",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, \
         like Gecko) Mobile/15E148 [LinkedInApp]/9.29.7583",
    ),
    (
        "phone",
        "Pinterest",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 [Pinterest/iOS]",
    ),
    (
        "phone",
        "WhatsApp",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 WhatsApp/2.24.10.75",
    ),
    (
        "phone",
        "Chrome Mobile WebView",
        "Android",
        "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/CP1A.260305.018; wv) \
         AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/146.0.7680.174 Mobile \
         Safari/537.36 MetaIAB Facebook",
    ),
    (
        "phone",
        "Telegram",
        "Android",
        "Mozilla/5.0 (Linux; Android 13; 2201116SG Build/TKQ1.221114.001; wv) AppleWebKit/537.36 \
         (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 \
         Telegram-Android/11.2.3 (Xiaomi 2201116SG; Android 13; SDK 33; AVERAGE)",
    ),
    (
        "phone",
        "LINE",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
         Gecko) Mobile/15E148 Safari Line/14.8.0",
    ),
    (
        "phone",
        "Chrome Mobile",
        "Android",
        "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Mobile Safari/537.36",
    ),
    (
        "phone",
        "Chrome Mobile",
        "Android",
        "Mozilla/5.0 (Linux; Android 4.1.1; HTC Butterfly Build/JRO03C) AppleWebKit/535.19 (KHTML, \
         like Gecko) Chrome/18.0.1025.166 Mobile Safari/535.19",
    ),
    (
        "tablet",
        "Chrome",
        "Android",
        "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/124.0.0.0 Safari/537.36",
    ),
    (
        "other",
        "Samsung Internet",
        "Tizen",
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) \
         SamsungBrowser/2.2 Chrome/76.0.3809.146 TV Safari/537.36",
    ),
    (
        "desktop",
        "Electron",
        "Mac OS X",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) \
         Notion/3.9.1 Chrome/124.0.6367.243 Electron/30.1.2 Safari/537.36",
    ),
];

/// Other programs, with what they are called.
pub(super) const PROGRAMS: [(&str, &str); 16] = [
    (
        "crawler/Googlebot",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ),
    (
        "crawler/GPTBot",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; \
         +https://openai.com/gptbot)",
    ),
    ("monitor/W3C-checklink", "W3C-checklink/4.5 [4.160] libwww-perl/5.823"),
    ("crawler/other", "SomethingNew-Bot/0.1"),
    (
        "monitor/UptimeRobot",
        "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    ),
    ("monitor/Kubernetes", "kube-probe/1.29"),
    ("library/curl", "curl/8.7.1"),
    ("library/Wget", "Wget/1.21.4"),
    ("library/python-requests", "python-requests/2.32.3"),
    ("library/Go-http-client", "Go-http-client/2.0"),
    ("library/okhttp", "okhttp/4.12.0"),
    ("library/Java", "Java/17.0.11"),
    ("library/axios", "axios/1.7.2"),
    (
        "library/HeadlessChrome",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
         HeadlessChrome/125.0.6422.60 Safari/537.36",
    ),
    ("library/other", "aws-sdk-go/1.4.12 (go1.6; linux; amd64) S3Manager"),
    ("library/other", "Mozilla/5.0"),
];
