// house: data table
import { type Lexicon, lexiconOf } from './lexicon.ts'

/** Spanish. `uno`, `un` and `una` are no numbers: they stand for anything. */
export const SPANISH: Lexicon = lexiconOf({
  language: 'es',
  frequent: `el la los las un una unos unas de del es son soy está están yo tú él ella nosotros mi mis tu tus su sus este esta estos y o pero no que qué cómo cuándo dónde quién cuál puedo puede debo tengo tiene hay a al en por para con sin se me te lo más muy`,
  negations: `no nunca jamás nada nadie ninguno ninguna ningún sin excepto tampoco ni`,
  askers: `qué cómo cuándo dónde quién cuál cuáles cuánto cuánta cuántos por puedo puede`,
  pointing: `y o pero entonces eso esto esa este ese aquello él ella lo la los las ahí aquí qué cómo es para con también otra otro mismo más sí no un una por de`,
  ambiguousDates: ``,
  beforeDate: `en de`,
  from: `de desde`,
  to: `a hasta al`,
  endings: `aciones ación amente mente ando iendo ar er ir es s`,
  numbers: {
    cero: 0,
    dos: 2,
    tres: 3,
    cuatro: 4,
    cinco: 5,
    seis: 6,
    siete: 7,
    ocho: 8,
    nueve: 9,
    diez: 10,
    once: 11,
    doce: 12,
    veinte: 20,
    treinta: 30,
    cuarenta: 40,
    cincuenta: 50,
    sesenta: 60,
    cien: 100,
    ciento: 100,
    mil: 1000,
    segundo: 2,
    tercero: 3,
  },
  dates: {
    lunes: 'day:1',
    martes: 'day:2',
    miércoles: 'day:3',
    jueves: 'day:4',
    viernes: 'day:5',
    sábado: 'day:6',
    domingo: 'day:7',
    enero: 'month:1',
    febrero: 'month:2',
    marzo: 'month:3',
    abril: 'month:4',
    mayo: 'month:5',
    junio: 'month:6',
    julio: 'month:7',
    agosto: 'month:8',
    septiembre: 'month:9',
    octubre: 'month:10',
    noviembre: 'month:11',
    diciembre: 'month:12',
    hoy: 'today',
    mañana: 'tomorrow',
    ayer: 'yesterday',
    navidad: '12-25',
  },
  currencies: {
    euro: 'EUR',
    euros: 'EUR',
    dólar: 'USD',
    dólares: 'USD',
    usd: 'USD',
    pesos: 'MXN',
    libras: 'GBP',
    céntimos: 'cent',
  },
  units: {
    kg: 'kg',
    g: 'g',
    km: 'km',
    m: 'm',
    cm: 'cm',
    mm: 'mm',
    mb: 'MB',
    gb: 'GB',
    tb: 'TB',
    kb: 'kB',
    ms: 'ms',
    min: 'min',
    h: 'h',
    kilos: 'kg',
    gramos: 'g',
    kilómetros: 'km',
    metros: 'm',
    segundos: 's',
    minutos: 'min',
    hora: 'h',
    horas: 'h',
    día: 'd',
    días: 'd',
    semana: 'w',
    semanas: 'w',
    mes: 'mo',
    meses: 'mo',
    año: 'a',
    años: 'a',
    grados: 'deg',
    litros: 'l',
  },
  opposites: `
    activar desactivar
    abrir cerrar
    encender apagar
    empezar terminar
    antes después
    añadir eliminar
    crear eliminar
    crear borrar
    aumentar disminuir
    aumentar reducir
    subir bajar
    comprar vender
    bloquear desbloquear
    suscribir cancelar
    instalar desinstalar
    conectar desconectar
    permitir prohibir
    aceptar rechazar
    importar exportar
    enviar recibir
    depositar retirar
    máximo mínimo
    más menos
    alto bajo
    caliente frío
    rápido lento
    temprano tarde
    primero último
    próximo anterior
    izquierda derecha
    norte sur
    este oeste
    dentro fuera
    con sin
    verdadero falso
    sí no
    público privado
    llegada salida
    débito crédito
    grande pequeño
    hoy mañana
    hoy ayer
    mañana ayer
  `,
})
