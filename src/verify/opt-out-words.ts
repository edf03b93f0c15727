/** What a message from a recipient asks for; `other`: nothing that is known. */
export type InboundKind = 'stop' | 'start' | 'help' | 'other';

interface Words {
  readonly stop: readonly string[];
  readonly start?: readonly string[];
  readonly help?: readonly string[];
}

/**
 * The words by language (ISO 639-1), each a whole message. Those of English are the ones that mobile operators
 * prescribe (CTIA Messaging Principles §5.1.3), and are understood whatever the language of the message was.
 */
export const OPT_OUT_WORDS: Readonly<Record<string, Words>> = {
  en: {
    stop: ['stop', 'stop all', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'opt out', 'remove'],
    start: ['start', 'unstop', 'subscribe', 'resume', 'opt in'],
    help: ['help', 'info'],
  },
  af: { stop: ['staak', 'kanselleer'], start: ['begin'], help: ['hulp'] },
  am: { stop: ['አቁም', 'አቁሙ'], start: ['ጀምር'], help: ['እርዳታ'] },
  ar: {
    stop: ['توقف', 'قف', 'إيقاف', 'ايقاف', 'إلغاء', 'الغاء'],
    start: ['ابدأ', 'ابدا', 'اشتراك'],
    help: ['مساعدة'],
  },
  az: { stop: ['dayan', 'dayandır'], start: ['başla'], help: ['kömək'] },
  be: { stop: ['стоп', 'спыніць'], start: ['старт'], help: ['дапамога'] },
  bg: { stop: ['стоп', 'спри', 'отказ'], start: ['старт'], help: ['помощ'] },
  bn: { stop: ['বন্ধ', 'থামুন'], start: ['শুরু'], help: ['সাহায্য'] },
  bs: { stop: ['stani', 'odjava'], start: ['prijava'], help: ['pomoć'] },
  ca: { stop: ['atura', 'baixa', 'cancel·la'], start: ['inicia', 'alta'], help: ['ajuda'] },
  cs: { stop: ['konec', 'zrušit', 'odhlásit'], start: ['začít', 'přihlásit'], help: ['pomoc'] },
  cy: { stop: ['stopio', 'peidio'], start: ['dechrau'], help: ['cymorth'] },
  da: { stop: ['stop', 'afmeld', 'afmelding'], start: ['tilmeld'], help: ['hjælp'] },
  de: {
    stop: ['stopp', 'stop', 'abmelden', 'abbestellen', 'ende', 'kündigen'],
    start: ['anmelden'],
    help: ['hilfe'],
  },
  el: { stop: ['στοπ', 'διακοπή', 'τέλος'], start: ['έναρξη'], help: ['βοήθεια'] },
  es: {
    stop: ['parar', 'alto', 'baja', 'cancelar', 'detener', 'salir'],
    start: ['alta', 'comenzar', 'iniciar', 'empezar'],
    help: ['ayuda'],
  },
  et: { stop: ['stopp', 'lõpeta'], start: ['alusta'], help: ['abi'] },
  eu: { stop: ['gelditu', 'utzi'], start: ['hasi'], help: ['laguntza'] },
  fa: { stop: ['توقف', 'لغو'], start: ['شروع'], help: ['راهنما', 'کمک'] },
  fi: { stop: ['lopeta', 'seis', 'peruuta'], start: ['aloita'], help: ['ohje', 'apua'] },
  fil: { stop: ['itigil', 'hinto'], start: ['simulan'], help: ['tulong'] },
  fr: {
    stop: ['arrêt', 'arrêter', 'arrêtez', 'stopper', 'désabonner', 'désinscrire', 'annuler', 'fin'],
    start: ['démarrer', 'commencer', 'début'],
    help: ['aide'],
  },
  gl: { stop: ['deter', 'cancelar', 'baixa'], start: ['comezar'], help: ['axuda'] },
  gu: { stop: ['બંધ', 'રોકો'], start: ['શરૂ'], help: ['મદદ'] },
  he: { stop: ['עצור', 'הפסק', 'הסר', 'הסרה', 'ביטול'], start: ['התחל'], help: ['עזרה'] },
  hi: { stop: ['रोकें', 'रोको', 'बंद', 'बंद करें'], start: ['शुरू', 'शुरू करें'], help: ['मदद', 'सहायता'] },
  hr: { stop: ['stani', 'odjava'], start: ['prijava'], help: ['pomoć'] },
  hu: { stop: ['állj', 'leiratkozás', 'leállít'], start: ['indít', 'feliratkozás'], help: ['segítség'] },
  hy: { stop: ['ստոպ', 'դադարեցնել'], start: ['սկսել'], help: ['օգնություն'] },
  id: { stop: ['berhenti', 'batal', 'hentikan'], start: ['mulai'], help: ['bantuan'] },
  is: { stop: ['stopp', 'hætta', 'stöðva'], start: ['byrja'], help: ['hjálp'] },
  it: {
    stop: ['ferma', 'basta', 'annulla', 'cancella', 'disiscrivi'],
    start: ['inizia', 'avvia'],
    help: ['aiuto'],
  },
  ja: {
    stop: ['停止', '配信停止', '解除', 'ストップ', '中止'],
    start: ['開始', '再開', 'スタート'],
    help: ['ヘルプ', '助け'],
  },
  ka: { stop: ['სტოპ', 'შეწყვეტა'], start: ['დაწყება'], help: ['დახმარება'] },
  kk: { stop: ['стоп', 'тоқтату'], start: ['бастау'], help: ['көмек'] },
  km: { stop: ['ឈប់', 'បញ្ឈប់'], start: ['ចាប់ផ្តើម'], help: ['ជំនួយ'] },
  kn: { stop: ['ನಿಲ್ಲಿಸಿ'], start: ['ಪ್ರಾರಂಭಿಸಿ'], help: ['ಸಹಾಯ'] },
  ko: {
    stop: ['중지', '정지', '수신거부', '해지', '그만'],
    start: ['시작', '수신동의'],
    help: ['도움말', '도움'],
  },
  lo: { stop: ['ຢຸດ'], start: ['ເລີ່ມ'], help: ['ຊ່ວຍເຫຼືອ'] },
  lt: { stop: ['stabdyti', 'atsisakyti'], start: ['pradėti'], help: ['pagalba'] },
  lv: { stop: ['beigt', 'apturēt'], start: ['sākt'], help: ['palīdzība'] },
  mk: { stop: ['стоп', 'запри'], start: ['почни'], help: ['помош'] },
  ml: { stop: ['നിർത്തുക'], start: ['ആരംഭിക്കുക'], help: ['സഹായം'] },
  mn: { stop: ['зогс', 'зогсоох'], start: ['эхлэх'], help: ['тусламж'] },
  mr: { stop: ['थांबा', 'बंद करा'], start: ['सुरू', 'सुरू करा'], help: ['मदत'] },
  ms: { stop: ['berhenti', 'batal'], start: ['mula'], help: ['bantuan'] },
  my: { stop: ['ရပ်', 'ရပ်ပါ'], start: ['စတင်'], help: ['အကူအညီ'] },
  nb: { stop: ['stopp', 'avslutt', 'avmeld'], start: ['påmeld'], help: ['hjelp'] },
  ne: { stop: ['रोक्नुहोस्', 'बन्द'], start: ['सुरु'], help: ['मद्दत'] },
  nl: {
    stop: ['stoppen', 'afmelden', 'uitschrijven', 'einde'],
    start: ['aanmelden', 'beginnen'],
    help: ['hulp'],
  },
  pa: { stop: ['ਰੋਕੋ', 'ਬੰਦ'], start: ['ਸ਼ੁਰੂ'], help: ['ਮਦਦ'] },
  pl: { stop: ['koniec', 'anuluj', 'rezygnuję', 'wypisz'], start: ['zacznij'], help: ['pomoc'] },
  pt: {
    stop: ['parar', 'pare', 'sair', 'cancelar', 'remover'],
    start: ['iniciar', 'começar', 'voltar'],
    help: ['ajuda'],
  },
  ro: {
    stop: ['oprire', 'opriți', 'dezabonare', 'anulare'],
    start: ['pornire', 'abonare'],
    help: ['ajutor'],
  },
  ru: {
    stop: ['стоп', 'остановить', 'отписаться', 'отмена', 'отказ'],
    start: ['старт', 'начать'],
    help: ['помощь', 'инфо'],
  },
  sk: { stop: ['koniec', 'zrušiť', 'odhlásiť'], start: ['začať', 'prihlásiť'], help: ['pomoc'] },
  sl: { stop: ['ustavi', 'odjava'], start: ['začni', 'prijava'], help: ['pomoč'] },
  sq: { stop: ['ndalo', 'anulo'], start: ['fillo'], help: ['ndihmë'] },
  sr: {
    stop: ['стоп', 'стани', 'одјава', 'stani', 'odjava'],
    start: ['пријава', 'prijava'],
    help: ['помоћ', 'pomoć'],
  },
  sv: { stop: ['stopp', 'avsluta', 'avregistrera'], start: ['starta'], help: ['hjälp'] },
  sw: { stop: ['acha', 'simama', 'sitisha'], start: ['anza'], help: ['msaada'] },
  ta: { stop: ['நிறுத்து', 'நிறுத்தவும்'], start: ['தொடங்கு'], help: ['உதவி'] },
  te: { stop: ['ఆపు', 'ఆపండి'], start: ['ప్రారంభించు'], help: ['సహాయం'] },
  th: { stop: ['หยุด', 'ยกเลิก'], start: ['เริ่ม'], help: ['ช่วยเหลือ'] },
  tr: { stop: ['dur', 'durdur', 'iptal', 'ret', 'çık'], start: ['başla', 'başlat'], help: ['yardım'] },
  uk: {
    stop: ['стоп', 'зупинити', 'відписатися', 'скасувати'],
    start: ['старт', 'почати'],
    help: ['допомога'],
  },
  ur: { stop: ['بند', 'روکیں'], start: ['شروع'], help: ['مدد'] },
  uz: { stop: ['toʻxta', 'toxta', 'тўхта', 'bekor'], start: ['boshla'], help: ['yordam'] },
  vi: { stop: ['dừng', 'hủy', 'ngừng'], start: ['bắt đầu'], help: ['trợ giúp'] },
  zh: {
    stop: ['停止', '退订', '退訂', '取消', '终止', '終止'],
    start: ['开始', '開始', '订阅', '訂閱'],
    help: ['帮助', '幫助', '说明'],
  },
};

/** Longest text, in characters, that may be one of the words. */
const MAX_TEXT = 64;

const KINDS: ReadonlyMap<string, InboundKind> = new Map(
  (['help', 'start', 'stop'] as const).flatMap((kind) =>
    Object.values(OPT_OUT_WORDS).flatMap((words) =>
      (words[kind] ?? []).map((word) => [foldWord(word), kind] as const),
    ),
  ),
);

/**
 * What a whole message asks for. Case, accents of Latin letters, spaces, punctuation and emoji do not matter; any other
 * word beside the one that is known does.
 */
export function inboundKind(text: string): InboundKind {
  if (text.length > MAX_TEXT) return 'other';
  return KINDS.get(foldWord(text)) ?? 'other';
}

/** Only the accents that Latin and Greek words are often written without go: elsewhere marks make another word. */
function foldWord(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/ı/g, 'i')
    .replace(/[\p{P}\p{S}\p{Z}\p{Cc}\p{Cf}\p{Variation_Selector}]/gu, '')
    .normalize('NFC');
}
