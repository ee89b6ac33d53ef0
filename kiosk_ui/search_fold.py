"""How words are made alike before they are compared: static/search.js folds in the same way."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# The commonest traditional characters of what visitors ask for, and their simplified forms.
TRADITIONAL = (
    "廟廁蠔灘龍車雙條門島館魚蝦醬貝場樓紅園獄處裡醫藥銀錢換飯廳觀風氣溫濕電線機飛農節歷傳統災難護報遊東"
    "雞鮮買賣貨產禮紀術獅織籃編橋樹邊單鐵開關時間廣國學華漢語話鎮縣媽濟計劃資訊業漲熱舊葉燒鍋點廚飲馬碼頭長"
    "貽蠣這裏問題騎牆遠過還進運幾麼個們來對無網絡黃"
)
SIMPLIFIED = (
    "庙厕蚝滩龙车双条门岛馆鱼虾酱贝场楼红园狱处里医药银钱换饭厅观风气温湿电线机飞农节历传统灾难护报游东"
    "鸡鲜买卖货产礼纪术狮织篮编桥树边单铁开关时间广国学华汉语话镇县妈济计划资讯业涨热旧叶烧锅点厨饮马码头长"
    "贻蛎这里问题骑墙远过还进运几么个们来对无网络黄"
)
_SIMPLE = str.maketrans(TRADITIONAL, SIMPLIFIED)

_ACCENTS = re.compile("[\u0300-\u036f]")
# Thai tone marks and the other signs above a consonant, which people leave out or mistype.
_TONES = re.compile("[\u0e47-\u0e4c\u0e4e]")


FOLDED_MAX = 8192  # The same names are folded for each language's index.


@lru_cache(FOLDED_MAX)
def fold(text: str) -> str:
    """The same words without case, accents, tone marks and punctuation, one space between."""
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))
    bare = _TONES.sub("", bare.lower())
    # Two ways to type the same vowel each: เ twice for แ, and a ring with า for ำ.
    bare = bare.replace("เเ", "แ").replace("\u0e4dา", "ำ").replace("\u0e4d", "")
    bare = bare.translate(_SIMPLE)
    kept = (c if unicodedata.category(c)[0] in "LNM" else " " for c in bare)
    return " ".join("".join(kept).split())
