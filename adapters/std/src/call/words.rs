//! What do the errcodes mean that only one kind of API sends: is it the receiver, the file, the message?
//!
//! Core's table has those that concern the credential. Sources: the platform's list of global return codes, WeCom's
//! document 90313.

use wxtoken_core::{Lang, Product};

type Row = (i32, &'static str, &'static str);

const BOTH: &[Row] = &[
    (40_004, "the type of the file is not one; image, voice, video, and thumb or file", "媒体文件类型不合法"),
    (40_005, "files of this kind are not taken as this type", "文件类型不合法"),
    (40_006, "the size of the file is not allowed", "文件大小不合法"),
    (
        40_007,
        "the media_id does not exist, is another account's, or is older than three days; upload the file again",
        "media_id 不存在、属于其他账号或已超过三天；请重新上传",
    ),
    (40_008, "the type of the message is not one", "消息类型不合法"),
    (41_005, "the file did not arrive; the form must have it as `media`, with a file name", "缺少多媒体文件数据"),
    (41_006, "media_id is missing", "缺少 media_id 参数"),
    (44_001, "the file is empty", "多媒体文件为空"),
    (45_001, "the file is too large", "多媒体文件大小超过限制"),
    (45_002, "the text is too long", "消息内容超过长度限制"),
    (45_007, "the recording is too long", "语音播放时间超过限制"),
];

const PLATFORM: &[Row] = &[
    (40_003, "the receiver's openid is not one of this account's", "OpenID 不合法，或不属于该账号"),
    (40_037, "the template_id is not one of this account's", "template_id 不正确，或不属于该账号"),
    (43_004, "the receiver does not follow the account", "接收者未关注该账号"),
    (43_101, "the receiver did not agree to such messages", "用户拒绝接受此类消息"),
    (
        45_015,
        "the receiver has not written to the account within 48 hours",
        "超过 48 小时未与用户互动，不能下发客服消息",
    ),
    (45_047, "too many customer messages since the receiver last wrote", "客服消息下行条数超过上限"),
    (47_003, "the data do not fit the template", "模板参数不准确，与模板不符"),
];

const WORK: &[Row] = &[
    (40_031, "no receiver is given, or the list of userids is not one", "UserID 列表不合法或为空"),
    (
        40_033,
        "a character is not allowed; write characters as they are, not as \\uXXXX",
        "含有不合法字符；请使用原文字符，不要使用 \\uXXXX 转义",
    ),
    (40_056, "the agentid is not one of this corp's", "agentid 不合法"),
    (
        60_011,
        "the app may not see this member, department or tag; widen its visible scope",
        "应用无权访问该成员、部门或标签；请调整应用可见范围",
    ),
    (60_111, "the userid does not exist in the corp", "UserID 不存在"),
    (81_013, "none of the receivers exists, or the app may see none of them", "接收者全部不存在或不在应用可见范围内"),
    (82_001, "there is no receiver: the given departments and tags are empty", "指定的成员、部门、标签全部为空"),
];

/// What a code of a call means that core's table does not know.
pub(crate) fn of(product: Product, errcode: i32, lang: Lang) -> &'static str {
    let own = if product == Product::Work { WORK } else { PLATFORM };
    let row = BOTH.iter().chain(own).find(|row| row.0 == errcode);
    match (row, lang) {
        (Some((_, _, zh)), Lang::Zh) => zh,
        (Some((_, en, _)), _) => en,
        (None, Lang::Zh) => "平台拒绝了此次调用；请查阅官方返回码说明，更换 token 无济于事",
        (None, _) => {
            "the platform refused this call; look the code up in its list of return codes, another token does not help"
        }
    }
}
