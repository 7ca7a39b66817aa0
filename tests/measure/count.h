/* Between operations.c and the machine that counts: count-valgrind.c or count-board.c. */
void fnOperations(void);
void fnCount_start(const char *ptrName);   /* instructions from here to fnCount_stop() belong to this operation */
void fnCount_stop(const char *ptrName);
void fnFinish(const char *ptrFault);       /* ends the program; 0: all went well */
