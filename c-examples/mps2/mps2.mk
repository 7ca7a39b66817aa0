# What the firmware images for the MPS2 boards have in common.
#
#   make [BOARD=an386]       the image; an385 is a Cortex-M3, an386 a Cortex-M4F, an500 a Cortex-M7
#   make run [PORT=1883]     runs it in QEMU, its UART on this terminal ("quit" ends it); the broker is this machine's
#   make size                flash and RAM, with the library and without
#   make check               tests the images of all boards, with brokers that it starts on the loopback interface
#   make clean
#
# With SECURE=1 the image makes secure connections, with the certificates and the key in the folder CREDENTIALS (../../target/credentials), and
# the broker's port is 8883: ca.crt, client.crt and client.key, all PEM. The README of the repository shows how they are made.
# FEATURES (with SECURE=1), LEAVE_OUT and MQTT_CONFIG_H of the environment or the command line reach ../dist, which makes the library.
#
# A Makefile that includes this has named:
#   NAME      its folder
#   OURS      its own objects
#   LWIP      lwIP's, by their paths in lwIP's tree, besides those below
#   RTOS      the kernel's, by their paths in its tree, if there is one
#   SYSTEM    include folders (-isystem) for RTOS and LWIP
#   STACK     the size of the stack of main() and of interrupts

MAKEFLAGS += --no-builtin-rules

Q     ?= @#            make Q= shows the commands
BOARD ?= an386
PORT  ?= $(if $(SECURE),8883,1883)
ROOT  := ../..
MPS2  := ../mps2
FETCH := $(ROOT)/target/mps2/third-party
OUT   := $(ROOT)/target/$(NAME)
, := ,
USUAL := $(if $(SECURE),secure-mqtt$(,)client-certificate)
ifeq ($(FEATURES),)
FEATURES := $(USUAL)
endif
CREDENTIALS ?= $(ROOT)/target/credentials
$(if $(SECURE),,$(if $(FEATURES),$(error FEATURES needs SECURE=1)))
NAMES   := $(addprefix -,$(subst $(,),+,$(FEATURES)))
WITHOUT := $(addprefix -without-,$(subst $(,),+,$(LEAVE_OUT)))
HERE    := $(OUT)/$(BOARD)$(if $(SECURE),-secure)$(if $(filter-out $(USUAL),$(FEATURES)),$(NAMES))$(WITHOUT)

CPU_an385    := -mcpu=cortex-m3 -mthumb
KERNEL_an385 := ARM_CM3
RUST_an385   := thumbv7m-none-eabi
CPU_an386    := -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard
KERNEL_an386 := ARM_CM4F
RUST_an386   := thumbv7em-none-eabihf
CPU_an500    := -mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard
KERNEL_an500 := ARM_CM7/r0p1
RUST_an500   := thumbv7em-none-eabihf

CPU     := $(CPU_$(BOARD))
KERNEL  := $(KERNEL_$(BOARD))
RUST    := $(RUST_$(BOARD))
DIST    := $(ROOT)/target/dist/$(RUST)$(NAMES)$(WITHOUT)
LIBRARY := $(DIST)/lib/libutasker_mqtt.a
$(if $(CPU),,$(error BOARD must be an385, an386 or an500))

FREERTOS_KERNEL_PATH ?= $(FETCH)/freertos-next/FreeRTOS-Kernel
LWIP_PATH            ?= $(FETCH)/lwip
# $(call given,NAME,FILE): where NAME was not set here, FILE must lie there.
given = $(if $(filter-out file,$(firstword $(origin $1))),$(if $(wildcard $($1)/$2),,$(error $1: $($1) has no $2)))
$(call given,LWIP_PATH,src/include/lwip)
$(if $(RTOS),$(call given,FREERTOS_KERNEL_PATH,include/FreeRTOS.h))

CC       := arm-none-eabi-gcc
CFLAGS   := $(CPU) -Os -g -ffunction-sections -fdata-sections --specs=nano.specs
WARNINGS := -std=c99 -Wall -Wextra -Werror -pedantic
CPPFLAGS  = -DBOARD_$(shell echo $(BOARD) | tr a-z A-Z) -Iinclude -I. -I$(MPS2) -I$(MPS2)/include -I.. -I$(DIST)/include \
            $(SYSTEM:%=-isystem %) -isystem $(LWIP_PATH)/src/include
LDFLAGS  := $(CPU) --specs=nano.specs -nostartfiles -T $(MPS2)/board.ld -Wl,--gc-sections,-z,noexecstack -Wl,--wrap=cli_mqtt_callback \
            -Wl,--defsym=stack_size=$(STACK)

SHARED := startup semihosting fatal uart lan9118 network application publishers exercise
ifdef SECURE
SHARED += secure credentials
endif
ABOVE  := cli cli_commands cli_callback ip_literal mqtt_names port_lwip
LWIP   += $(addprefix src/core/,def dns inet_chksum init ip mem memp netif pbuf stats sys tcp tcp_in tcp_out timeouts udp) \
          $(addprefix src/core/ipv4/,dhcp etharp icmp ip4 ip4_addr ip4_frag) \
          $(addprefix src/core/ipv6/,ethip6 icmp6 inet6 ip6 ip6_addr ip6_frag mld6 nd6) src/netif/ethernet

OBJECTS = $(OURS:%=$(HERE)/%.o) $(SHARED:%=$(HERE)/mps2/%.o) $(ABOVE:%=$(HERE)/above/%.o) \
          $(RTOS:%=$(HERE)/freertos/%.o) $(LWIP:%=$(HERE)/lwip/%.o)
SOURCES = $(LWIP_PATH) $(if $(RTOS),$(FREERTOS_KERNEL_PATH))

# What configures FreeRTOS and lwIP: the compiler's lists of headers leave out those that a system's header includes. And where they are.
SETTINGS := $(wildcard include/*.h $(MPS2)/include/*.h $(MPS2)/include/*/*.h) $(HERE)/sources

all: $(HERE)/firmware.elf

$(HERE)/firmware.elf: $(OBJECTS) $(LIBRARY) $(MPS2)/board.ld
	$(Q)$(CC) $(LDFLAGS) -Wl,-Map=$(@:.elf=.map) $(OBJECTS) $(LIBRARY) -o $@
	@echo $@

# The same firmware as if it called nothing, to see what the library adds.
$(HERE)/without.elf: $(OBJECTS) $(MPS2)/board.ld
	$(Q)$(CC) $(LDFLAGS) -Wl,--unresolved-symbols=ignore-all $(OBJECTS) -o $@

size: $(HERE)/firmware.elf $(HERE)/without.elf
	arm-none-eabi-size $^

run: $(HERE)/firmware.elf
	qemu-system-arm -M mps2-$(BOARD) -kernel $< -display none -monitor none -serial stdio -nic user,model=lan9118 \
	    -semihosting-config enable=on,target=native,arg=firmware,arg=port=$(PORT)

check:
	$(ROOT)/tests/firmware/run $(NAME)

clean:
	rm -rf $(OUT)

# What is shipped. It knows by itself whether there is anything to do.
$(LIBRARY): FORCE
	$(Q)FEATURES=$(FEATURES) LEAVE_OUT=$(LEAVE_OUT) $(ROOT)/c-examples/dist $(RUST) >/dev/null

$(HERE)/sources: FORCE
	@mkdir -p $(@D); echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' >$@

$(HERE)/%.o: %.c $(LIBRARY) $(SETTINGS) | $(SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

$(HERE)/mps2/%.o: $(MPS2)/%.c $(LIBRARY) $(SETTINGS) | $(SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

# The assembler tells nothing of the files that it takes in.
$(HERE)/mps2/credentials.o: $(MPS2)/credentials.S $(addprefix $(HERE)/,ca.der client.der client.key.der)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPU) -I$(HERE) -c $< -o $@

# Another folder's files may be older than what was made of these: only what they hold counts.
$(HERE)/ca.der $(HERE)/client.der: $(HERE)/%.der: $(CREDENTIALS)/%.crt FORCE
	@mkdir -p $(@D)
	$(Q)openssl x509 -in $< -outform DER -out $@.new && install -C -m 600 $@.new $@

$(HERE)/client.key.der: $(HERE)/%.key.der: $(CREDENTIALS)/%.key FORCE
	@mkdir -p $(@D)
	$(Q)openssl pkey -in $< -outform DER -out $@.new && install -C -m 600 $@.new $@

$(HERE)/above/%.o: ../%.c $(LIBRARY) $(SETTINGS) | $(SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(WARNINGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

$(HERE)/freertos/%.o: $(SETTINGS) | $(SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c $(FREERTOS_KERNEL_PATH)/$*.c -o $@

$(HERE)/lwip/%.o: $(SETTINGS) | $(SOURCES)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c $(LWIP_PATH)/$*.c -o $@

$(FETCH)/freertos-next/FreeRTOS-Kernel $(FETCH)/lwip &:
	@mkdir -p $(FETCH)
	$(Q)cargo vendor --quiet --locked --manifest-path $(MPS2)/third-party/Cargo.toml $(FETCH) >$(FETCH).log

-include $(OBJECTS:.o=.d)

.PHONY: all size run check clean FORCE
