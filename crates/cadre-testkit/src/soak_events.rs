//! The events of the fault harness: telling the receiver while it or the teller is killed, and judging
//! what it wrote down.

use std::time::Duration;

use cadre_jobs::webhooks;
use rand::Rng as _;

use crate::soak::{LEASE_MS, Outcome, Soak};
use crate::soak_worker::PUBLIC_URL;

impl Soak {
    /// Delivers what is due. The receiver may be killed meanwhile, and so may who delivers.
    pub(crate) async fn tell(&mut self, calm: bool) -> Outcome<()> {
        self.receiver.revive()?;
        self.clock.advance(self.dice.random_range(1_000..200_000));
        let fate = if calm { 99 } else { self.dice.random_range(0..100) };
        let life = Duration::from_micros(self.dice.random_range(100..6_000));
        if fate < 12 {
            let receiver = &mut self.receiver;
            let kill = async {
                tokio::time::sleep(life).await;
                receiver.kill()
            };
            let (told, killed) = tokio::join!(webhooks::drain(&self.parts, PUBLIC_URL), kill);
            told?;
            killed?;
        } else if fate < 20 {
            let work = webhooks::drain(&self.parts, PUBLIC_URL);
            if tokio::time::timeout(life, work).await.is_err() {
                self.clock.advance(LEASE_MS);
            }
        } else {
            webhooks::drain(&self.parts, PUBLIC_URL).await?;
        }
        Ok(())
    }

    /// Delivers everything, and looks at what the receiver wrote down.
    pub(crate) async fn settle_events(&mut self) -> Outcome<()> {
        let head = self.parts.store.event_head(&self.environment).await?;
        let mut last = 0;
        for _ in 0..200 {
            self.receiver.revive()?;
            // Past every wait between two attempts.
            self.clock.advance(2 * 3_600_000);
            webhooks::drain(&self.parts, PUBLIC_URL).await?;
            let endpoint = self.parts.store.endpoint_get(&self.environment, &self.endpoint).await?;
            last = endpoint.ok_or("the endpoint is gone")?.last_sequence;
            let told = self.receiver.judge(last)?;
            if last == head && told.lost == 0 {
                break;
            }
        }
        let mut told = self.receiver.judge(last)?;
        // Every event of the ledger is a message: the endpoint hears everything, from the first on.
        told.lost += u64::try_from(head - last).unwrap_or_default();
        self.findings.told = told;
        self.findings.receiver_killed = self.receiver.killed;
        Ok(())
    }
}
