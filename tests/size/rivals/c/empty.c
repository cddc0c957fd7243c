/* What does every C image cost? Start-up code and a `main` that does nothing. */
int main(void)
{
    for (;;)
        __asm__ volatile("");
}
