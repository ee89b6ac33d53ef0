"""What people ask for that is no entry of the pack, and words that say nothing about a place."""

from __future__ import annotations

from typing import NamedTuple

SEPARATOR = "|"  # Between words, here and in the index.


class Topic(NamedTuple):
    """Something that no pack of ours has checked: the screen says so, and how to ask for it."""

    id: str
    icon: str
    name: str
    thai: str  # What to show to somebody near.
    words: str
    note: str = ""


class Way(NamedTuple):
    """A screen that is an answer by itself."""

    go: str
    icon: str
    name: str
    words: str


TOPICS = (
    Topic(
        "atm",
        "coin",
        "Cash machine (ATM)",
        "ตู้เอทีเอ็มอยู่ที่ไหน",
        "เอทีเอ็ม|ตู้เอทีเอ็ม|ตู้กดเงิน|กดเงิน|กดตัง|กดเงินสด|ถอนเงิน|เงินสด|แลกเงิน|"
        "รับแลกเงิน|ธนาคาร|แบงก์|แบงค์|"
        "ฝากเงิน|โอนเงิน|"
        "atm|cash|cash machine|cashpoint|bank|money|withdraw money|money exchange|exchange|"
        "currency exchange|change money|"
        "取款机|取钱|提款机|提款|自动取款机|现金|银行|换钱|兑换|换汇|货币兑换|"
        "qu kuan ji|qu qian|ti kuan ji|yin hang|huan qian|xian jin",
    ),
    Topic(
        "clinic",
        "ambulance",
        "Doctor, hospital",
        "หมอหรือโรงพยาบาลใกล้ที่สุดอยู่ที่ไหน",
        "โรงพยาบาล|รพ|คลินิก|คลีนิก|หมอ|แพทย์|พบแพทย์|อนามัย|สถานีอนามัย|ไม่สบาย|ป่วย|เจ็บ|ทำแผล|"
        "ปฐมพยาบาล|หมอฟัน|"
        "doctor|hospital|clinic|medical|medical help|sick|ill|nurse|dentist|health centre|"
        "first aid|rong phayaban|"
        "医院|医生|诊所|看病|生病|看医生|急诊|牙医|受伤|"
        "yi yuan|yi sheng|zhen suo|kan bing|sheng bing",
        "In an emergency call 1669.",
    ),
    Topic(
        "pharmacy",
        "medicine",
        "Pharmacy",
        "ร้านขายยาอยู่ที่ไหน",
        "ร้านยา|ร้านขายยา|ขายยา|ซื้อยา|เภสัช|ยา|ยาแก้ปวด|พลาสเตอร์|"
        "pharmacy|drugstore|drug store|chemist|medicine|painkiller|plaster|sunscreen|"
        "药店|药房|药局|买药|药|创可贴|yao dian|yao fang|mai yao",
    ),
    Topic(
        "hotel",
        "bed",
        "Place to stay",
        "แถวนี้มีที่พักไหม",
        "ที่พัก|โรงแรม|รีสอร์ท|รีสอร์ต|โฮมสเตย์|ห้องพัก|บ้านพัก|พักที่ไหน|นอนที่ไหน|ค้างคืน|"
        "เกสต์เฮาส์|"
        "hotel|hotels|place to stay|accommodation|guesthouse|guest house|resort|room|homestay|"
        "hostel|where to stay|where to sleep|sleep|rong raem|"
        "酒店|宾馆|旅馆|住宿|民宿|饭店住宿|客栈|房间|住哪里|"
        "jiu dian|bin guan|lü guan|zhu su|min su",
    ),
    Topic(
        "restaurant",
        "rice",
        "Place to eat",
        "แถวนี้มีร้านอาหารไหม",
        "ร้านอาหาร|ร้านอาหารทะเล|ร้านซีฟู้ด|ร้านข้าว|กินข้าว|กินอะไรดี|กินที่ไหน|หิว|หิวข้าว|"
        "อาหาร|อาหารเช้า|"
        "อาหารเที่ยง|มื้อเย็น|ของกิน|ก๋วยเตี๋ยว|ส้มตำ|อาหารตามสั่ง|ร้านอร่อย|อาหารเจ|ฮาลาล|"
        "อาหารฮาลาล|ซีฟู้ด|"
        "restaurant|restaurants|seafood restaurant|place to eat|where to eat|eat|eating|"
        "food|hungry|"
        "lunch|dinner|breakfast|noodles|noodle soup|pad thai|street food|vegetarian|vegan|halal|"
        "cafe food|thai food|seafood|dining|ran ahan|"
        "餐厅|饭店|饭馆|餐馆|海鲜餐厅|吃饭|吃什么|哪里吃|吃海鲜|美食|小吃|午饭|晚饭|早餐|"
        "饿|饿了|面条|素食|清真|大排档|海鲜|"
        "can ting|fan dian|fan guan|chi fan|mei shi|hai xian",
    ),
    Topic(
        "shop",
        "shops",
        "Convenience shop",
        "ร้านสะดวกซื้ออยู่ที่ไหน",
        "ร้านสะดวกซื้อ|เซเว่น|เซเว่นอีเลฟเว่น|มินิมาร์ท|ร้านค้า|ร้านขายของชำ|โลตัส|น้ำดื่ม|"
        "น้ำเปล่า|น้ำแข็ง|"
        "ซื้อน้ำ|ซิมการ์ด|ซิม|"
        "ร่ม|หมวก|บุหรี่|เบียร์|ไอติม|ไอศกรีม|"
        "convenience store|convenience shop|seven eleven|7 eleven|7-eleven|711|supermarket|shop|"
        "store|mini mart|minimart|water|drinking water|ice|ice cream|sim card|umbrella|hat|beer|"
        "便利店|超市|商店|小卖部|水|矿泉水|冰淇淋|雨伞|电话卡|啤酒|"
        "bian li dian|chao shi|shang dian|kuang quan shui",
    ),
    Topic(
        "coffee",
        "cup",
        "Coffee, drinks",
        "แถวนี้มีร้านกาแฟไหม",
        "กาแฟ|ร้านกาแฟ|คาเฟ่|เครื่องดื่ม|ชา|ชานม|ชาเย็น|น้ำปั่น|น้ำมะพร้าว|เบเกอรี่|เค้ก|"
        "coffee|cafe|coffee shop|tea|drinks|drink|juice|coconut water|smoothie|cake|bakery|"
        "咖啡|咖啡馆|咖啡店|奶茶|饮料|茶|果汁|椰子|蛋糕|ka fei|nai cha|yin liao",
    ),
    Topic(
        "taxi",
        "car",
        "Taxi",
        "ช่วยเรียกแท็กซี่ให้หน่อย",
        "แท็กซี่|แทกซี่|แกร็บ|วินมอเตอร์ไซค์|มอเตอร์ไซค์รับจ้าง|วิน|ตุ๊กตุ๊ก|เรียกรถ|เช่ารถ|"
        "เช่ามอเตอร์ไซค์|โบลท์|"
        "taxi|cab|grab|bolt|motorbike taxi|moto taxi|tuk tuk|tuktuk|call a car|rent a car|"
        "car rental|motorbike rental|scooter|bicycle|bike rental|"
        "出租车|的士|打车|叫车|摩的|嘟嘟车|租车|租摩托车|自行车|"
        "chu zu che|di shi|da che|jiao che|zu che",
    ),
    Topic(
        "wifi",
        "globe",
        "Internet (Wi-Fi)",
        "แถวนี้มีไวไฟให้ใช้ไหม",
        "ไวไฟ|ไวฟาย|วายฟาย|อินเทอร์เน็ต|อินเตอร์เน็ต|เน็ต|เน็ตฟรี|รหัสไวไฟ|"
        "wifi|wi-fi|wi fi|free wifi|wireless|internet|password|hotspot|"
        "无线网|无线网络|上网|网络|免费上网|wu xian wang|shang wang",
        "This kiosk has no Wi-Fi of its own.",
    ),
    Topic(
        "charging",
        "bolt",
        "Charge a phone or a car",
        "ชาร์จไฟได้ที่ไหน",
        "ชาร์จแบต|ชาร์จมือถือ|ชาร์จโทรศัพท์|ที่ชาร์จ|ปลั๊ก|พาวเวอร์แบงค์|ชาร์จรถไฟฟ้า|"
        "สถานีชาร์จ|แบตหมด|"
        "charge|charging|charge phone|phone charger|charger|power bank|plug|socket|ev|"
        "ev charging|"
        "charging station|battery|"
        "充电|充电宝|手机充电|充电站|充电桩|插座|chong dian|chong dian bao",
    ),
    Topic(
        "fuel",
        "drop",
        "Fuel",
        "ปั๊มน้ำมันอยู่ที่ไหน",
        "ปั๊ม|ปั๊มน้ำมัน|เติมน้ำมัน|น้ำมัน|ปตท|แก๊ส|"
        "petrol|petrol station|gas station|fuel|gasoline|filling station|diesel|"
        "加油|加油站|汽油|jia you|jia you zhan",
    ),
    Topic(
        "boat",
        "boat",
        "Boat trip",
        "แถวนี้มีเรือให้นั่งไหม",
        "เรือ|นั่งเรือ|ล่องเรือ|เช่าเรือ|เรือเที่ยว|เรือประมง|ตกปลา|ตกหมึก|ไปเกาะ|เกาะ|"
        "เกาะสีชัง|เกาะล้าน|"
        "boat|boats|boat trip|boat tour|boat rental|ferry|cruise|fishing|fishing trip|"
        "kayak|island|"
        "islands|koh si chang|koh larn|"
        "船|坐船|游船|租船|出海|钓鱼|海岛|岛|轮渡|zuo chuan|you chuan|chu hai|diao yu",
    ),
    Topic(
        "worship",
        "worship",
        "Mosque, church",
        "มัสยิดหรือโบสถ์คริสต์อยู่ที่ไหน",
        "มัสยิด|สุเหร่า|ห้องละหมาด|ละหมาด|โบสถ์คริสต์|คริสตจักร|"
        "mosque|prayer room|muslim prayer|church|"
        "清真寺|教堂|礼拜|qing zhen si|jiao tang",
    ),
    Topic(
        "post",
        "letter",
        "Post, parcels",
        "ที่ทำการไปรษณีย์อยู่ที่ไหน",
        "ไปรษณีย์|ส่งพัสดุ|ส่งของ|ฝากกระเป๋า|แฟลช|เคอรี่|แสตมป์|"
        "post|post office|stamps|parcel|postcard|luggage|luggage storage|lockers|left luggage|"
        "邮局|寄快递|快递|寄东西|邮票|行李|寄存|you ju|kuai di|xing li",
    ),
)

WAYS = (
    Way(
        "toilet",
        "toilet",
        "Toilet",
        "ห้องน้ำ|ห้องสุขา|สุขา|ส้วม|ห้องส้วม|เข้าห้องน้ำ|ฉี่|ปวดฉี่|ปวดท้อง|ห้องน้ำสาธารณะ|"
        "ห้องน้ำคนพิการ|ห้องอาบน้ำ|"
        "toilet|toilets|restroom|rest room|bathroom|washroom|wc|lavatory|loo|ladies|gents|pee|"
        "public toilet|shower|hong nam|hong nahm|hongnam|"
        "厕所|洗手间|卫生间|公厕|化妆间|上厕所|洗澡|ce suo|xi shou jian|wei sheng jian|gong ce",
    ),
    Way(
        "map",
        "map",
        "Map",
        "แผนที่|ผัง|ผังตลาด|ทาง|อยู่ตรงไหน|ฉันอยู่ที่ไหน|"
        "map|where am i|plan|directions|find my way|city map|"
        "地图|导航|我在哪里|平面图|di tu|dao hang",
    ),
    Way(
        "today",
        "today",
        "Today",
        "วันนี้|น้ำขึ้น|น้ำลง|น้ำขึ้นน้ำลง|ระดับน้ำ|น้ำทะเล|อากาศ|สภาพอากาศ|พยากรณ์อากาศ|ฝน|"
        "ฝนตกไหม|ลม|"
        "ลมแรง|คลื่น|ทะเล|"
        "อุณหภูมิ|ร้อน|อากาศร้อน|ฝุ่น|ฝุ่นละออง|ค่าฝุ่น|พีเอ็ม 2.5|คุณภาพอากาศ|พระอาทิตย์ตก|"
        "พระอาทิตย์ขึ้น|"
        "ดวงอาทิตย์|ดวงจันทร์|ข้างขึ้นข้างแรม|กี่โมง|เวลา|วันที่|คนเยอะไหม|"
        "today|now|tide|tides|tide table|high tide|low tide|water level|weather|forecast|rain|"
        "raining|wind|waves|temperature|hot|heat|heat index|humidity|air|air quality|aqi|pm2.5|"
        "pm 2.5|smog|dust|sunset|sunrise|sun|moon|time|date|clock|crowded|sea conditions|"
        "今天|潮汐|潮水|涨潮|退潮|天气|天气预报|下雨|雨|风|海浪|气温|温度|热|空气|空气质量|"
        "雾霾|日落|日出|月亮|时间|几点|"
        "chao xi|zhang chao|tui chao|tian qi|wen du|kong qi|ri luo|ri chu|xia yu|jin tian",
    ),
    Way(
        "sos",
        "sos",
        "Emergency",
        "ฉุกเฉิน|เหตุฉุกเฉิน|เบอร์ฉุกเฉิน|สายด่วน|ช่วยด้วย|ช่วยเหลือ|ขอความช่วยเหลือ|อันตราย|"
        "เบอร์โทร|"
        "sos|emergency|emergencies|help|help me|emergency number|emergency numbers|danger|urgent|"
        "hotline|phone numbers|call|"
        "紧急|紧急求助|求助|救命|帮助|紧急电话|危险|电话号码|jin ji|jiu ming|qiu zhu|bang zhu",
    ),
    Way(
        "tell",
        "tell",
        "Tell the city",
        "แจ้งปัญหา|แจ้งเหตุ|บอกเทศบาล|ร้องเรียน|แจ้งซ่อม|แจ้งไฟดับ|ไฟดับ|ไฟถนน|ไฟถนนเสีย|ถนนพัง|"
        "ถนนชำรุด|ขยะ|ขยะล้น|"
        "ถังขยะ|กลิ่นเหม็น|"
        "สกปรก|ติชม|ข้อเสนอแนะ|แนะนำ|ให้คะแนน|ความคิดเห็น|ตู้เสีย|ข้อมูลผิด|"
        "report|report a problem|problem|complaint|complain|feedback|rate|suggestion|"
        "street light|"
        "broken light|broken|light not working|litter|garbage|rubbish|trash|bin|smell|"
        "dirty|pothole|"
        "wrong information|kiosk broken|tell the city|"
        "反馈|投诉|意见|建议|举报|报告问题|路灯|路灯坏了|灯坏了|垃圾|垃圾桶|臭味|脏|坏了|"
        "评价|tou su|la ji|fan kui|lu deng",
    ),
    Way(
        "list/eat",
        "oyster",
        "Eat & buy",
        "ของกิน|กิน|อาหาร|ซื้อ|ช้อปปิ้ง|ของฝาก|สินค้า|ซื้ออะไรดี|กินอะไรดี|ของอร่อย|โอทอป|"
        "ของดี|ซีฟู้ด|"
        "eat|food|buy|shopping|shop|what to eat|what to buy|local food|hungry|specialities|"
        "specialties|goods|seafood|otop|products|gifts|"
        "吃|美食|购物|买东西|买什么|吃什么|当地美食|小吃|海鲜|饿|chi|gou wu|mai dong xi|mei shi",
    ),
    Way(
        "list/see",
        "shrine",
        "See",
        "ที่เที่ยว|เที่ยว|เที่ยวไหนดี|สถานที่ท่องเที่ยว|แหล่งท่องเที่ยว|ไปไหนดี|ถ่ายรูป|"
        "จุดเช็คอิน|น่าเที่ยว|"
        "see|sights|sightseeing|attractions|attraction|things to do|what to do|what to see|"
        "places|places to visit|tourist|visit|photo spot|photos|tour|"
        "景点|看什么|玩|哪里好玩|好玩|旅游|旅游景点|游玩|参观|拍照|打卡|jing dian|hao wan|"
        "lü you|you wan",
    ),
    Way(
        "list/around",
        "songthaew",
        "Getting around",
        "การเดินทาง|เดินทาง|รถ|ขึ้นรถ|ขนส่ง|ไปยังไง|กลับบ้าน|คมนาคม|"
        "transport|transportation|getting around|get around|travel|how to get there|"
        "public transport|"
        "交通|怎么去|怎么走|坐车|出行|公共交通|jiao tong|zen me qu|zuo che",
    ),
    Way(
        "list/stories",
        "book",
        "Stories",
        "เรื่องเล่า|ประวัติ|ประวัติศาสตร์|วัฒนธรรม|ประเพณี|เทศกาล|งานประเพณี|งานวัด|กิจกรรม|ตำนาน|"
        "stories|story|history|culture|festival|festivals|events|event|tradition|"
        "traditions|legend|"
        "故事|历史|文化|节日|活动|传统|传说|li shi|wen hua|jie ri|huo dong",
    ),
    Way(
        "list/city",
        "townhall",
        "Help & city",
        "เมือง|บริการ|บริการประชาชน|ติดต่อเทศบาล|หน่วยงาน|ข้อมูลเมือง|เบอร์สำคัญ|"
        "city|services|service|information|info|government|public services|about the city|"
        "城市|服务|市民服务|信息|政府服务|cheng shi|fu wu",
    ),
    Way(
        "access",
        "people",
        "Access",
        "ตัวหนังสือใหญ่|ตัวใหญ่|ขยายตัวอักษร|ฟัง|เสียง|มองไม่เห็น|คนตาบอด|คนพิการ|วีลแชร์|รถเข็น|"
        "large text|bigger text|text size|listen|sound|audio|blind|contrast|accessibility|"
        "disabled|wheelchair|"
        "大字|放大|字体|声音|收听|无障碍|轮椅|盲人|wu zhang ai|da zi",
    ),
)

# The pack's tags in people's words: whatever bears the tag is found by them.
TAGS = {
    "market": "ตลาด|ตลาดนัด|เดินตลาด|talat|talad|market|markets|bazaar|shopping|市场|集市|"
    "购物|shi chang",
    "history": "ประวัติศาสตร์|โบราณ|เก่าแก่|โบราณสถาน|history|historic|heritage|old|ancient|"
    "历史|古迹|文物|li shi|gu ji",
    "seafood": "อาหารทะเล|ซีฟู้ด|ของทะเล|seafood|sea food|shellfish|海鲜|海产|hai xian",
    "food": "อาหาร|ของกิน|กิน|ขนม|อาหารพื้นบ้าน|food|eat|snack|snacks|local food|street food|"
    "美食|小吃|吃|食物|mei shi|xiao chi",
    "sweet": "ขนม|ขนมหวาน|ของหวาน|sweet|sweets|dessert|cake|甜点|甜品|糕点|tian dian",
    "souvenir": "ของฝาก|ของที่ระลึก|ซื้อฝาก|souvenir|souvenirs|gift|gifts|present|take home|"
    "纪念品|特产|伴手礼|手信|礼物|ji nian pin|te chan|ban shou li",
    "craft": "หัตถกรรม|งานฝีมือ|ช่าง|โอทอป|craft|crafts|handicraft|handmade|artisan|"
    "手工艺|手工|工艺品|shou gong yi",
    "shopping": "ช้อปปิ้ง|ร้านค้า|ซื้อของ|shopping|shop|shops|buy|购物|商店|gou wu",
    "textile": "ผ้า|สิ่งทอ|cloth|textile|fabric|布|纺织|bu",
    "gi": "สินค้าจีไอ|gi|geographical indication|地理标志",
    "shrine": "ศาลเจ้า|ศาล|ไหว้เจ้า|สิ่งศักดิ์สิทธิ์|ขอพร|มูเตลู|สายมู|shrine|shrines|"
    "joss house|worship|pray|"
    "san chao|庙|神庙|寺庙|拜神|祈福|许愿|miao|si miao",
    "temple": "วัด|ไหว้พระ|ทำบุญ|พระ|พระพุทธรูป|temple|temples|wat|buddhist|buddha|"
    "buddhist temple|"
    "pray|寺|寺庙|佛寺|佛|拜佛|si|si miao|fo si",
    "chinese": "จีน|คนจีน|ศาลเจ้าจีน|chinese|china|taoist|chinese temple|华人|中国|中式|道教|zhong guo",
    "royal": "พระราชวัง|วัง|รัชกาล|royal|king|queen|palace|王室|国王|王宫|wang gong",
    "museum": "พิพิธภัณฑ์|นิทรรศการ|museum|exhibition|博物馆|展览|bo wu guan",
    "nature": "ธรรมชาติ|เดินป่า|ต้นไม้|nature|green|hiking|walk|trees|outdoors|park|自然|散步|"
    "树|公园|zi ran",
    "wildlife": "สัตว์|สัตว์ป่า|animals|wildlife|zoo|动物|野生动物|动物园|dong wu",
    "viewpoint": "จุดชมวิว|วิว|วิวสวย|ถ่ายรูป|ชมวิว|viewpoint|view|views|lookout|scenic|photo|"
    "photo spot|"
    "观景台|风景|拍照|景色|观景|guan jing tai|feng jing",
    "beach": "หาด|ชายหาด|หาดทราย|ทะเล|เที่ยวทะเล|beach|beaches|sea|seaside|sand|ocean|swim|"
    "海滩|沙滩|海边|大海|游泳|hai tan|sha tan|hai bian",
    "sea": "ทะเล|sea|ocean|大海|海",
    "family": "ครอบครัว|เด็ก|พาเด็กเที่ยว|ที่เที่ยวเด็ก|family|kids|children|child|rainy day|亲子|"
    "儿童|孩子|家庭|qin zi|er tong",
    "festival": "เทศกาล|ประเพณี|งานประเพณี|งาน|festival|festivals|event|events|celebration|"
    "节日|庆典|活动|节庆|jie ri|huo dong",
    "culture": "วัฒนธรรม|culture|tradition|文化|传统|wen hua",
    "buddhist": "พุทธ|วันพระ|ทำบุญ|buddhist|buddhism|佛教|fo jiao",
    "bus": "รถเมล์|รถบัส|รถโดยสาร|bus|buses|coach|van|公交|公车|巴士|大巴|gong jiao|ba shi|da ba",
    "songthaew": "รถสองแถว|songthaew|双条车|shuang tiao che",
    "rail": "รถไฟ|train|railway|火车|铁路|huo che",
    "car": "รถยนต์|ขับรถ|car|driving|自驾|开车|kai che|zi jia",
    "emergency": "ฉุกเฉิน|เบอร์ฉุกเฉิน|สายด่วน|emergency|hotline|help|phone number|紧急|紧急电话|"
    "热线|求助|jin ji",
    "safety": "ความปลอดภัย|safety|safe|安全|an quan",
    "civic": "เทศบาล|ราชการ|town|municipality|local government|civic|市政|政府|zheng fu",
    "smart-city": "เมืองอัจฉริยะ|สมาร์ทซิตี้|smart city|智慧城市|zhi hui cheng shi",
    "invest": "ลงทุน|การลงทุน|ธุรกิจ|investment|invest|business|投资|商业|tou zi",
}

# Words round the thing that is asked for. They count only where nothing else is said.
STOP = (
    "a|an|the|to|of|in|at|on|for|and|or|is|are|am|i|my|me|we|you|it|do|does|can|could|there|here|"
    "where|how|what|which|who|when|get|go|going|find|want|need|like|show|near|nearby|nearest|"
    "closest|around|please|some|any|with|from|this|that|have|has|best|good|"
    "ที่|ไหน|อยู่|ที่ไหน|อยู่ไหน|ไป|มา|มี|ไหม|มั้ย|อยาก|จะ|ได้|ครับ|ค่ะ|คะ|นะ|ยังไง|อย่างไร|"
    "ใกล้|ใกล้ๆ|ฉัน|ผม|หา|"
    "ขอ|แถว|แถวนี้|นี้|ตรงไหน|ตรง|กี่|โมง|เอา|ดู|ใกล้ที่สุด|บ้าง|หน่อย|ของ|และ|กับ|ใน|ที่สุด|"
    "ต้องการ|ทาง|ให้|เรา|ๆ|"
    "在|哪|哪里|哪儿|哪个|在哪里|在哪|怎么|怎么去|怎么走|去|到|我|我想|想|要|我要|有|"
    "有没有|没有|吗|呢|的|了|请问|请|附近|最近|"
    "这|这里|那|里|是|什么|几|点|找|可以|给|zai|na|nali|zenme|qu|wo|xiang|yao|you|ma|de|zou|fujin"
)
