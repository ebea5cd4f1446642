"""The ground: each number that protects the machine, with its reason.

Nothing is computed here and nothing is imported; a limit that is reached becomes a sentence in `refusals.py`.
"""

MB = 1_000_000

# Pictures: one file
MOST_FILE_BYTES = 50 * MB  # a 60-megapixel JPEG is about 30 MB; more is a mistake or an attack
MOST_PIXELS = 32_000_000  # 96 MB once decoded as RGB, so that two decoders stay far below 500 MB
MOST_JPEG_PIXELS = 64_000_000  # JPEG can be decoded at 1/2, 1/4, 1/8, so a phone's 50 megapixels fit
LEAST_SIDE_PX = 16  # below this there is nothing to learn; the smallest training size is 32
MOST_ASPECT = 8  # a longer strip loses 7/8 of itself to the square crop

# Pictures: the child process that decodes
DECODE_SECONDS = 5  # of processor time a picture: an honest one of 32 megapixels takes below 1.5 s
DECODE_WALL_SECONDS = 20  # where a busy machine gives little time, or the platform can't count it
DECODER_START_SECONDS = 120  # of a child, before its first picture: a busy machine may take long to load it
DECODE_MEMORY_BYTES = 2_000 * MB  # address space: libraries and the largest honest picture
MOST_DECODERS = 4  # more gain nothing: reading and hashing in the parent becomes the slowest part
MOST_WAITING_BYTES = 64 * MB  # read, but not yet decoded

# Pictures: a set
LEAST_PICTURES = 8  # with fewer there is no set, only copies to be learnt by heart
MOST_PICTURES = 100_000  # names, labels and hashes of all of them are held in memory: about 100 MB
KEPT_SIDE_PX = 512  # shorter side of a kept picture: the largest training size
LOSSLESS_SIDE_PX = 128  # up to this a picture is kept without loss: JPEG would show its blocks
MOST_FILES = 200_000  # looked at in all sources: somebody may name the root of a disk
MOST_LABELS = 1_000  # ImageNet has as many; each costs the networks parameters
MOST_CROPS = 8  # of one picture, along its long side; as many as MOST_ASPECT allows

# Pictures: a ZIP
MOST_ZIP_ENTRIES = 20_000  # the largest art sets people train on have about 10,000
MOST_ZIP_TOTAL_BYTES = 2_000 * MB  # unpacked, all entries together
MOST_ZIP_RATIO = 100  # a picture hardly shrinks in a ZIP; only a bomb grows a hundredfold...
ZIP_RATIO_FROM_BYTES = 10 * MB  # ...but a plain black BMP may, and does no harm while it is small
MOST_FOLDER_DEPTH = 16  # of folders below the one that was named

# What a reader of our own small files takes into memory
MOST_JSON_BYTES = 200 * MB  # the manifest of 100,000 pictures is about 40 MB
MOST_TEXT_CHUNK_BYTES = 64_000  # one text in a PNG: a share code has 600 characters
MOST_TEXT_CHUNKS = 32  # our cards have below ten

MOST_CARD_FILE_BYTES = 200 * MB  # of a picture or film whose card is read: twice the largest film made here

# Playing and sharing
MOST_SEED = 2**63 - 1  # what a signed 64-bit number holds, so that every database and file format can keep it
MOST_SEEDS = 144  # of one grid: four pages of 36
MOST_SEEDS_CHARS = 4_000  # 144 seeds of 19 digits and their commas
MOST_IN_BAND = 9  # seeds that one band of a bred picture is made of: with three bands its code stays short
MOST_FAMILY = 10_000  # pictures in one family tree's file: read whole in a tenth of a second
MOST_WORKS = (
    50_000  # kept at home: at 64 px about 750 MB; the page shows the first of 10,000 in a tenth of a second
)
MOST_WORKS_PUBLIC = 2_000  # of all visitors together: they can't be made to fill the disk
MOST_LIKES = 50_000  # liked and passed-over pictures of one visitor
MOST_LIKES_PUBLIC = 200_000  # of all visitors together: below 200 MB
MOST_SENT = 100_000  # links of one home that can be withdrawn
MOST_AMOUNT = 3  # of steering by an attribute: beyond it few models have seen anything
MOST_DIRECTION = 64  # the number of a direction in its family: beyond it hardly anything changes
MOST_DIRECTION_NAME_CHARS = 40  # fits beside its slider on a phone
MOST_NAMED_DIRECTIONS = 64  # that one person has given names, of one model
MOST_NAMERS = (
    5_000  # files of such names in a home, below 10 KB each: a public page can't be made to fill the disk
)
MOST_PROJECTIONS = 200  # searches that can be gone on with: 10 kB each
MOST_SEARCH_STEPS = 5_000  # of one search: five minutes at 64 px
# The longer side of a picture painted in a style: 512 px take four times as long as 256.
LEAST_STYLED_PX, MOST_STYLED_PX = 64, 512
MOST_INSTANT_PX = 2048  # of one painted at once, by tiles: 1 GB and a minute or two of one core
MOST_STYLE_PICTURES = 8  # that one style is taken of: more change its statistics little
MOST_STRENGTH = 2  # of a style: beyond it the picture itself is hard to find
MOST_STYLE_WEIGHT = 100  # of one style among others: beside it the others hardly show
LEAST_STYLE_SCALE, MOST_STYLE_SCALE = 0.25, 2  # of its brushwork; 2 takes 4 times as long to look at
# Of a video that is painted: 3,600 frames at most, an hour at one a second.
MOST_VIDEO_SECONDS, MOST_VIDEO_FPS, MOST_VIDEO_PX = 120, 30, 512
MOST_VIDEO_SECONDS_PUBLIC = 20  # where strangers may come: others wait in line for minutes, not for hours
VIDEO_LOOK_SECONDS = 300  # of the child that looks at one: a very busy machine takes minutes to load it
# The longer side of what a translator paints: the smallest training size, and a minute on one busy core.
LEAST_TRANSLATED_PX, MOST_TRANSLATED_PX = 32, 2048
MOST_RECENT_INPUTS = 300  # pictures that were translated lately and not shared: about 100 MB
MOST_INPUTS, MOST_INPUTS_BYTES = 10_000, 5_000 * MB  # pictures that links and kept works need: at 512 px 5 GB
MOST_BATCH = 500  # pictures that are translated in one go on the page
MOST_MIX_SEEDS = 12  # rows or columns of a mixing figure: 144 mixes
MOST_TRUNCATION = 2  # beyond it there is noise only
LEAST_STOPS, MOST_STOPS = 2, 12  # of a walk; twelve is what the tray holds
LEAST_FILM_SECONDS, MOST_FILM_SECONDS = 0.5, 120  # two minutes at 64 px render in about half a minute
MOST_KEYS = 36  # of a film of several walks: four for each of nine fields; of one walk MOST_STOPS
LEAST_STRETCH, MOST_STRETCH = 0.1, 120  # seconds between two keyframes, or of a rest at one
MOST_TIMELINE_SECONDS = 300  # five minutes: a song; how much work it is, the pictures below limit
MOST_FILM_PICTURES = (
    7_200  # five minutes at 24 frames a second, two at 60, as the longest walk; of a grid all fields
)
MOST_KEYS_CHARS = 8_000  # of keyframes as text, codes among them
MOST_REACTIONS = 8  # of a film to its music
MOST_SOUND_BYTES = 100 * MB  # five minutes of WAV with two channels of 24 bits at 48 kHz have 86 MB
SOUND_SECONDS = (
    120  # of the child that decodes one: a busy machine may take long to load it, as DECODER_START_SECONDS
)
MOST_SOUNDS, MOST_SOUNDS_BYTES = (
    50,
    1_000 * MB,
)  # kept for films and their links; those used least lately go first
LEAST_FPS, MOST_FPS = 1, 60  # players show no more
MOST_CODE_CHARS = 600  # of a share code: the contract, so that a link passes through chat programs
MOST_LINK_CHARS = 4_000  # of a whole link around it
MOST_HELD_MODELS = 6  # generators in memory: 3 MB each at 64 px, 60 MB at 512
MOST_BLENDS = 20  # of one visitor where strangers may come: about 6 MB each at 64 px, 100 MB at 512
MOST_BLENDS_PUBLIC = 100  # of all visitors together, so that fresh keys don't fill the disk: 600 MB at 64 px
MOST_KEPT_FILMS = 100  # rendered for links; the oldest go first, and can be rendered again

MOST_QUEUED = 256  # requests in line on the page: two of each of a hundred visitors, and some more

# Disk
FREE_BYTES_KEPT = 200 * MB  # never fill the last of a disk: other programs need it too

# Sentences
MOST_SENTENCE_CHARS = 160  # two lines on a phone
