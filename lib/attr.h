/* attr - compiler attributes that every header of the project may use */
#ifndef PEG_ATTR_H
#define PEG_ATTR_H

#define PEG_MUST_USE __attribute__((warn_unused_result))
#define PEG_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))
#define PEG_NORETURN __attribute__((noreturn))

#endif
